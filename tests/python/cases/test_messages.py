"""Messages of frameworks, by a host and by a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vak
from sites import TOKENS, Asked, Served, Site

RULES = """
[[rule]]
id = "all"
effect = "permit"
operations = ["langchain/*"]
[[rule]]
id = "no-delete"
effect = "forbid"
operations = ["langchain/delete"]
[[rule]]
id = "ask"
effect = "escalate"
operations = ["langchain/pay"]
"""


@pytest.fixture(params=["host", "client"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    component = Path(os.environ["VAK_COMPONENTS"]) / "langchain.wasm"
    adapter = f"[[adapters]]\nname = 'lc'\ncomponent = '{component}'\npass = ['langchain/think']\n"
    adapter += "[adapters.limits]\nwall_ms_max = 10_000\n"
    site = Site(tmp_path, rules=RULES, server=f"{adapter}[server]\nlisten = '127.0.0.1:0'\n{TOKENS}")
    if request.param == "host":
        with vak.Host(site.config) as host:
            yield Asked(site, host, None)
        return
    served = Served(site)
    with served.client() as client:
        yield Asked(site, client, served)
    served.stop()


def event(tool: str = "read", id: str | None = "call_1", **more: Any) -> dict[str, Any]:
    call = {"name": tool, "args": {"path": "a"}, "id": id, "type": "tool_call"}
    return {"event": "tool_call", "tool": {"name": tool}, "tool_call": call, "thread_id": "t", **more}


def result(id: str = "call_1") -> dict[str, Any]:
    return event(id=id, event="tool_result", result={"type": "tool", "status": "success", "content": "text"})


def test_a_message_is_decided_and_ended(asked: Asked) -> None:
    read = asked.it.ingest("lc", "ada", event())
    (decision,) = read.decisions
    assert read.reply == {"action": "allow"} and decision is not None and decision.allowed
    assert decision.arguments == {"path": "a"}
    assert asked.it.ingest("lc", "ada", result()).ended == 1
    assert asked.it.ingest("lc", "ada", result()).ended == 0
    with pytest.raises(vak.NotOpen):
        decision.succeeded()
    denied = asked.it.ingest("lc", "ada", event("delete", "call_2"))
    assert denied.reply["action"] == "error" and not denied.decisions[0].allowed  # type: ignore[union-attr]
    passed = asked.it.ingest("lc", "ada", event("think", "call_3"))
    assert passed.reply == {"action": "allow"} and passed.decisions == (None,)
    assert asked.it.ingest("lc", "ada", {"event": "on_llm_start"}).decisions == ()
    for untrue in (read, denied):
        with pytest.raises(TypeError):
            bool(untrue)
    assert asked.close().told() == [("allow", "succeeded"), ("deny", None)]


def test_what_a_person_approves_is_asked_for_again(asked: Asked) -> None:
    waits = asked.it.ingest("lc", "ada", event("pay"))
    seq = waits.reply["value"]["seq"]
    asked.approve(seq)
    assert asked.it.ingest("lc", "ada", event("pay", thread_id="other")).reply["action"] == "interrupt"
    again = asked.it.ingest("lc", "ada", event("pay", "call_9"))
    assert again.reply == {"action": "allow"}
    assert asked.it.ingest("lc", "ada", result("call_9")).ended == 1
    assert asked.it.ingest("lc", "ada", event("pay", "call_10")).reply["action"] == "interrupt"
    assert asked.close().told().count(("allow", "succeeded")) == 1


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        "text",
        None,
        {"event": "on_something_new"},
        {"event": "tool_call"},
        event() | {"tool_call": {"name": "read"}},
        event() | {"tool_call": {"name": "read", "args": "a", "id": "1", "type": "tool_call"}},
        event() | {"tool_call": {"name": 7, "args": {}, "id": "1", "type": "tool_call"}},
        event(id=""),
        event("re\nad"),
        event("x" * 300),
    ],
    ids=str,
)
def test_what_is_no_message_is_refused(asked: Asked, message: Any) -> None:
    with pytest.raises((vak.MessageError, vak.Problem)):
        asked.it.ingest("lc", "ada", message)
    assert asked.close().told() == []


def test_what_is_no_json_is_refused(asked: Asked) -> None:
    deep: Any = "a"
    for _ in range(70):
        deep = [deep]
    for args in ({1: 2}, object(), deep, "x" * (10 << 20), float("inf"), {"a": {"b": set()}}):
        call = {"name": "read", "args": {"path": args}, "id": "call_1", "type": "tool_call"}
        with pytest.raises(vak.ArgumentError):
            asked.it.ingest("lc", "ada", event() | {"tool_call": call})
    with pytest.raises((vak.MessageError, vak.Problem)):
        asked.it.ingest("nothing", "ada", event())
    assert asked.close().told() == []


def test_what_nobody_ends_is_unknown(asked: Asked) -> None:
    kept = asked.it.ingest("lc", "ada", event())
    asked.it.ingest("lc", "ada", event(id="call_2"))
    # The other was dropped.
    del kept
    assert asked.close().told() == [("allow", "unknown")] * 2
