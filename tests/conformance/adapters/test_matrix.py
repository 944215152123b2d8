"""Each situation with each framework: what it does, in a table that is committed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from drivers import DRIVERS, Driver
from sites import Served, Site, TOKENS, token
from tools import Call, Tools

import vak

MATRIX = Path(__file__).parent / "MATRIX.md"

Outcome = str


class Kit:
    """One framework at one host, and what there is to know afterwards."""

    def __init__(self, folder: Path, driver: Driver, *, more: str = "", starve: bool = False) -> None:
        adapter = ""
        if driver.adapter:
            component = Path(os.environ["VAK_COMPONENTS"]) / f"{driver.adapter}.wasm"
            adapter = f"[[adapters]]\nname = '{driver.adapter}'\ncomponent = '{component}'\n"
            adapter += f"[adapters.limits]\nwall_ms_max = 10_000\n{'fuel_max = 200_000' if starve else ''}\n"
        server = f"[server]\nlisten = '127.0.0.1:0'\n{TOKENS}"
        self.site = Site(folder, rules=rules(driver.prefix), server=f"{more}\n{adapter}\n{server}")
        self.driver, self.tools = driver, Tools()

    def run(self, host: Any, *calls: Call, **more: Any) -> list[str]:
        return self.driver.run(host, self.tools, calls, **more)


def rules(prefix: str) -> str:
    return f"""
[[rule]]
id = "all"
effect = "permit"
operations = ["{prefix}*"]
[[rule]]
id = "no-delete"
effect = "forbid"
operations = ["{prefix}delete"]
[[rule]]
id = "ask"
effect = "escalate"
operations = ["{prefix}pay"]
[[rule]]
id = "hidden"
effect = "permit"
operations = ["{prefix}hide"]
obligations = [{{ redact = {{ argument = "/argument", with = "gone" }} }}]
"""


def call(tool: str, argument: str = "a", id: str = "call_1") -> Call:
    return Call(tool, {"argument": argument}, id)


class Raised:
    """That something ends with an error, be it inside one of the framework's."""

    def __init__(self, kind: type[Exception]) -> None:
        self.kind = kind
        self.words = ""

    def __enter__(self) -> Raised:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, _traceback: Any) -> bool:
        assert error is not None, f"it was to raise {self.kind.__name__}"
        own, cause = type(error).__name__, error
        while not isinstance(cause, self.kind):
            if cause.__cause__ is None:
                return False
            cause = cause.__cause__
        inside = type(cause).__name__
        self.words = f"`{inside}`" if own == inside else f"`{inside}` in a `{own}`"
        return True


def allow(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("read"))
    assert told == ["read gave a"] and kit.tools.ran == [("read", "a")], (told, kit.tools.ran)
    assert kit.site.log().told() == [("allow", "succeeded")]
    return "runs"


def deny(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("delete"))
    assert kit.tools.ran == [] and "no-delete" in told[0], told
    assert kit.site.log().told() == [("deny", None)]
    return "does not run; the model is told why"


def rewrite(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("hide", "secret"))
    assert kit.tools.ran == [("hide", "gone")] and told == ["hide gave gone"], (kit.tools.ran, told)
    return "runs with the other arguments"


def approve(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("pay"))
        assert kit.tools.ran == [] and "approv" in told[0], told
        (waiting,) = host.approvals()
        host.approve(waiting.seq, by="grace")
        told = kit.run(host, call("pay", id="call_2"))
        if kit.driver.adapter is None:
            # Without an adapter nobody asks again by asking for the same.
            assert kit.tools.ran == [] and "approv" in told[0], told
            with host.decide_approved(waiting.seq):
                kit.tools.run("pay", "a")
        assert kit.tools.ran == [("pay", "a")], told
        kit.run(host, call("pay", id="call_3"))
    assert kit.tools.ran == [("pay", "a")]
    assert kit.site.log().told().count(("allow", "succeeded")) == 1
    return "runs once, when it is asked again" if kit.driver.adapter else "runs once, by `decide_approved`"


def timed_out(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        kit.run(host, call("pay"))
        (waiting,) = host.approvals()
        time.sleep(1.1)
        with pytest.raises(vak.ApprovalError):
            host.approve(waiting.seq, by="grace")
        kit.run(host, call("pay", id="call_2"))
    assert kit.tools.ran == []
    return "does not run"


def crash(kit: Kit) -> Outcome:
    served = Served(kit.site)
    kit.tools.during = served.kill
    with vak.Client(served.url, token=token("app"), timeout_s=10.0) as client:
        if not kit.driver.raises:
            told = kit.run(client, call("read"))
            assert kit.tools.ran == [("read", "a")] and not any("gave" in text for text in told), told
            return "ran; its result is withheld: the run ends"
        with Raised(vak.Unreachable) as raised:
            kit.run(client, call("read"))
    assert kit.tools.ran == [("read", "a")]
    # The next host takes it as used, and nobody was told the result.
    return f"ran; its result is withheld: {raised.words}"


def unreachable(kit: Kit) -> Outcome:
    served = Served(kit.site)
    served.stop()
    with vak.Client(served.url, token=token("app"), timeout_s=10.0) as client:
        if not kit.driver.raises:
            return undecided(kit, client, call("read"))
        with Raised(vak.Unreachable) as raised:
            kit.run(client, call("read"))
    assert kit.tools.ran == []
    return f"does not run: {raised.words}"


def traps(kit: Kit) -> Outcome:
    # Enough for it to say what it is, and not to read this.
    long = call("read", "a" * 500_000)
    with vak.Host(kit.site.config) as host:
        if not kit.driver.raises:
            return undecided(kit, host, long)
        with Raised(vak.MessageError) as raised:
            kit.run(host, long)
    assert kit.tools.ran == []
    return f"does not run: {raised.words}"


def undecided(kit: Kit, host: Any, wanted: Call) -> Outcome:
    told = kit.run(host, wanted)
    assert kit.tools.ran == [] and "could not be decided" in told[0], told
    return "does not run; the model is told that nobody could decide it"


def parallel(kit: Kit) -> Outcome:
    kit.tools.during = kit.tools.slow
    calls = [call("delete" if at % 4 == 3 else "read", str(at), f"call_{at}") for at in range(8)]
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, *calls)
    assert sorted(kit.tools.ran) == [("read", str(at)) for at in range(8) if at % 4 != 3], kit.tools.ran
    assert len(told) == 8 and all("no-delete" in told[at] for at in (3, 7)), told
    log = kit.site.log()
    assert sorted(log.told(), key=str) == sorted([("allow", "succeeded")] * 6 + [("deny", None)] * 2, key=str)
    return "each by itself"


def retry(kit: Kit) -> Outcome:
    kit.tools.fails = 1
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("read"), retries=1)
    assert len(kit.tools.ran) == 2 and told == ["read gave a"], (kit.tools.ran, told)
    log = kit.site.log().told()
    if log == [("allow", "failed"), ("allow", "succeeded")]:
        return "each attempt is decided"
    assert log == [("allow", "succeeded")], log
    return "one decision: what a tool repeats by itself nobody sees"


def nested(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        kit.run(host, call("nest"), inner=[call("read", "b", "inner_1"), call("delete", "b", "inner_2")])
    assert kit.tools.ran == [("read", "b"), ("nest", "a")], kit.tools.ran
    told = kit.site.log().told()
    assert told.count(("allow", "succeeded")) == 2 and told.count(("deny", None)) == 1
    return "calls of both are decided"


def streamed(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        told = kit.run(host, call("read", id="call_1"), call("delete", id="call_2"), streamed=True)
    assert kit.tools.ran == [("read", "a")] and len(told) == 2, (kit.tools.ran, told)
    assert sorted(kit.site.log().told(), key=str) == [("allow", "succeeded"), ("deny", None)]
    return "as without"


def cancelled(kit: Kit) -> Outcome:
    kit.tools.during = lambda: time.sleep(0.5)
    with vak.Host(kit.site.config) as host:
        with pytest.raises(asyncio.CancelledError):
            kit.run(host, call("read"), cancel_after=0.3)
        time.sleep(0.5)
    assert len(kit.tools.ran) <= 1
    told = kit.site.log().told()
    assert told in ([("allow", "unknown")], []), told
    return "its outcome is unknown"


def huge(kit: Kit) -> Outcome:
    with vak.Host(kit.site.config) as host:
        (told,) = kit.run(host, call("huge"))
    assert kit.site.log().told() == [("allow", "succeeded")]
    shortened = "" if len(told) == 10 << 20 else ", as the framework shortens it"
    return f"handed out{shortened}; the log has no digest of it"


SITUATIONS: list[tuple[str, Callable[[Kit], Outcome], Callable[[Driver], bool]]] = [
    ("allow", allow, lambda _: True),
    ("deny", deny, lambda _: True),
    ("rewrite", rewrite, lambda driver: driver.rewrites),
    ("escalate and approve", approve, lambda _: True),
    ("escalate and time out", timed_out, lambda _: True),
    ("host crashes mid-call", crash, lambda _: True),
    ("host unreachable", unreachable, lambda _: True),
    ("adapter traps", traps, lambda driver: driver.adapter is not None),
    ("parallel calls", parallel, lambda _: True),
    ("retry of the same call", retry, lambda _: True),
    ("nested agent", nested, lambda driver: driver.nests),
    ("streaming", streamed, lambda driver: driver.streams),
    ("cancelled call", cancelled, lambda driver: driver.cancels),
    ("huge result", huge, lambda _: True),
]


def test_each_situation_with_each_framework(tmp_path: Path) -> None:
    rows = []
    for number, (name, situation, possible) in enumerate(SITUATIONS):
        row = []
        for at, driver in enumerate(DRIVERS):
            if not possible(driver):
                row.append("—")
                continue
            folder = tmp_path / f"{number}-{at}"
            folder.mkdir()
            more = "[approvals]\nwait_s = 1\n" if situation is timed_out else ""
            kit = Kit(folder, driver, more=more, starve=situation is traps)
            try:
                row.append(situation(kit))
            except BaseException as error:
                raise AssertionError(f"{name}, {driver.name}: {error!r}, ran {kit.tools.ran}") from error
        rows.append((name, row))
    table = printed(rows)
    print(table)
    if os.environ.get("VAK_RECORD"):
        MATRIX.write_text(table)
    assert MATRIX.read_text() == table, "run it with VAK_RECORD=1, and look at what changed"


def printed(rows: Sequence[tuple[str, list[str]]]) -> str:
    head = ["situation", *(driver.name for driver in DRIVERS)]
    lines = [head, ["---"] * len(head), *([name, *row] for name, row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"""# What each framework does in each situation

Made by `test_matrix.py` with the real packages; a dash is a situation that the
framework does not have.

{table}
"""
