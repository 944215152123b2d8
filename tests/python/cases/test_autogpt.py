"""Blocks as AutoGPT's platform has them, and what its Classic asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import vak
from sites import Site
from vak.autogpt import ask, governed

RULES = """
[[rule]]
id = "all"
effect = "permit"
operations = ["autogpt/**"]
[[rule]]
id = "no-mail"
effect = "forbid"
operations = ["autogpt/block/SendEmailBlock"]
[[rule]]
id = "risky"
effect = "forbid"
operations = ["autogpt/goal", "autogpt/plan*"]
when = [{ label = "high-risk-goal" }]
[[rule]]
id = "hidden"
effect = "permit"
operations = ["autogpt/block/HideBlock"]
obligations = [{ redact = { argument = "/text", with = "gone" } }]
"""


class Block:
    """What a block of the platform has, without a platform."""

    id = "a1f5e0d8-0000-4000-8000-000000000000"

    def __init__(self, name: str, fails: str = "") -> None:
        self.name, self.fails = name, fails
        self.ran: list[Any] = []

    async def execute(self, input_data: dict[str, Any], **_more: Any) -> AsyncIterator[tuple[str, Any]]:
        self.ran.append(input_data)
        if self.fails == "raises":
            raise RuntimeError("it failed")
        yield ("error", "it failed") if self.fails else ("output", input_data["text"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    component = Path(os.environ["VAK_COMPONENTS"]) / "autogpt.wasm"
    (tmp_path / "goals.toml").write_text("")
    adapter = f"[[adapters]]\nname = 'autogpt'\ncomponent = '{component}'\nconfig = 'goals.toml'\n"
    return Site(tmp_path, rules=RULES, limits="", server=f"{adapter}[adapters.limits]\nwall_ms_max = 10_000\n")


def run(host: vak.Host, block: Block, number: int) -> list[tuple[str, Any]]:
    async def outputs() -> list[tuple[str, Any]]:
        context = {"graph_exec_id": "g1", "node_exec_id": f"n{number}"}
        running = governed(block, host, agent="ada").execute({"text": "secret"}, execution_context=context)
        return [output async for output in running]

    return asyncio.run(outputs())


def test_blocks_run_if_they_are_allowed(site: Site) -> None:
    with vak.Host(site.config) as host:
        read, mail, hide = Block("ReadBlock"), Block("SendEmailBlock"), Block("HideBlock")
        assert run(host, read, 1) == [("output", "secret")]
        ((name, why),) = run(host, mail, 2)
        assert name == "error" and "no-mail" in why and mail.ran == []
        assert run(host, hide, 3) == [("output", "gone")]
        assert run(host, Block("ReadBlock", "yields"), 4) == [("error", "it failed")]
        with pytest.raises(RuntimeError):
            run(host, Block("ReadBlock", "raises"), 5)
    told = site.log().told()
    assert [status for _, status in told] == ["succeeded", None, "succeeded", "failed", "failed"], told


def test_goals_plans_and_commands_are_decided(site: Site) -> None:
    with vak.Host(site.config) as host:
        task = {"event": "task", "agent_id": "a"}
        fine = ask(host, {**task, "task": "Write a poem about spring."}, agent="ada")
        assert fine.reply == {"action": "allow"}
        risky = ask(host, {**task, "task": "Delete all files on the production server."}, agent="ada")
        assert risky.reply["action"] == "refuse" and risky.reply["decision"] == "deny"
        with pytest.raises(vak.MessageError):
            ask(host, {"event": "dream"}, agent="ada")
