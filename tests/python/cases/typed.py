"""What type checkers make of it: this file is not run, and both find nothing in it."""

from __future__ import annotations

import asyncio
from typing import Any

from typing_extensions import assert_type

import vak


def sync(host: vak.Host, client: vak.Client) -> None:
    assert_type(host.decide("ada", "files/read", "notes", {"n": 1}, labels=["a"], able=["arguments"]), vak.Decision)
    assert_type(client.decide("ada", "files/read", "notes", id="one"), vak.Decision)
    with host.decide("ada", "files/read", "notes") as decision:
        assert_type(decision, vak.Decision)
        assert_type(decision.arguments, Any)
    assert_type(decision.raise_for_verdict().succeeded(), vak.Receipt)
    assert_type(host.execute("ada", "calculator").output, Any)
    assert_type(host.aio, vak.AsyncHost)
    assert_type(host.approve(1, by="grace"), vak.Receipt)
    # What one surface does not have is seen before it is run.
    host.decide("ada", "files/read", "notes", id="one")  # type: ignore[call-arg]
    client.approve(1, by="grace")  # type: ignore[call-arg]
    client.reload()  # type: ignore[attr-defined]
    host.decide("ada", "files/read", "notes", {1: 2})  # type: ignore[dict-item]
    host.decide("ada", "files/read", "notes", object())  # type: ignore[arg-type]
    host.decide("ada", "files/read", "notes", able="arguments")  # type: ignore[arg-type]
    host.decide("ada", "files/read", "notes", labels="a")  # type: ignore[arg-type]
    decision.allowed = True  # type: ignore[misc]


async def aio(host: vak.AsyncHost, client: vak.AsyncClient) -> None:
    deciding = host.decide("ada", "files/read", "notes")
    assert_type(deciding, vak.Awaitable[vak.AsyncDecision])
    deciding.allowed  # type: ignore[attr-defined]
    assert_type(await deciding, vak.AsyncDecision)
    task = asyncio.create_task(client.decide("ada", "files/read", "notes"))
    assert_type(task, asyncio.Task[vak.AsyncDecision])
    async with await host.decide("ada", "files/read", "notes") as decision:
        assert_type(await decision.succeeded(), vak.Receipt)
    with await host.decide("ada", "files/read", "notes"):  # type: ignore[attr-defined]
        pass
    async with await vak.AsyncHost.open("vak.toml") as opened:
        assert_type(opened, vak.AsyncHost)
    async with client as same:
        assert_type(same, vak.AsyncClient)


def raised(error: vak.VakError) -> None:
    if isinstance(error, vak.Refused):
        assert_type(error.verdict, vak.Verdict)
    if isinstance(error, vak.Escalated):
        assert_type(error.seq, int)
    if isinstance(error, vak.Denied):
        assert_type(error.retry_after_ms, "int | None")
