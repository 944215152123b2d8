"""The tools of every agent here, and what they did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A tool call that a scripted model makes."""

    tool: str
    arguments: dict[str, Any]
    id: str


@dataclass
class Tools:
    """What ran, with which arguments, in which order. `during` is done while a tool
    runs."""

    ran: list[tuple[str, Any]] = field(default_factory=list)
    during: Callable[[], None] | None = None
    fails: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, tool: str, argument: Any) -> str:
        with self._lock:
            self.ran.append((tool, argument))
            failing, self.fails = self.fails > 0, max(0, self.fails - 1)
        if self.during:
            self.during()
        if failing:
            raise RuntimeError("the tool failed")
        return f"{tool} gave {argument}" if tool != "huge" else "x" * (10 << 20)

    def slow(self) -> None:
        time.sleep(0.05)


#: What the rules of the kit say of each, see `site.py`.
NAMES = ("read", "delete", "hide", "pay", "huge", "nest")
