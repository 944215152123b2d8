"""What event loops await, and what happens when they stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

import vak
from sites import PATIENCE_S, Asked, Served, Site, until


def aio(asked: Asked) -> vak.AsyncHost | vak.AsyncClient:
    return asked.it.aio


def decide(asked: Asked, operation: str = "files/read", **more: Any) -> vak.Awaitable[vak.AsyncDecision]:
    return aio(asked).decide("ada", operation, "notes", {"path": "/work/a"}, **more)


def test_all_of_it_is_awaited(asked: Asked) -> None:
    async def main() -> None:
        it = aio(asked)
        decision = await decide(asked)
        assert decision.allowed and decision.arguments == {"path": "/work/a"}
        receipt = await decision.succeeded()
        assert decision.receipt is not None and receipt.seq > decision.receipt.seq
        with pytest.raises(vak.NotOpen):
            await decision.failed()
        async with await decide(asked) as decision:
            assert decision.allowed
        with pytest.raises(ValueError):
            async with await decide(asked) as decision:
                raise ValueError
        with pytest.raises(vak.Denied):
            async with await decide(asked, "files/delete"):
                pytest.fail("it is denied")
        with pytest.raises(vak.NotOpen):
            async with decision:
                pytest.fail("a block runs once")
        assert (await it.execute("ada", "calculator", {"expression": "6 * 7"})).output == {"value": 42.0}
        assert isinstance(await it.open_session("ada"), str)
        waits = await decide(asked, "files/ask")
        assert waits.receipt is not None
        assert (await it.approval(waits.receipt.seq)).standing == "waiting"
        with pytest.raises(vak.ApprovalError):
            await it.decide_approved(waits.receipt.seq)
        await asyncio.to_thread(asked.approve, waits.receipt.seq)
        async with await it.decide_approved(waits.receipt.seq) as again:
            assert again.arguments == {"path": "/work/a"}
        await it.close()
        with pytest.raises(vak.Stopped):
            await it.decide("ada", "files/read", "notes")

    asyncio.run(main())
    told = asked.close().told()
    allow = [("allow", status) for status in ("succeeded", "succeeded", "failed")]
    assert told[:3] == allow and told[3:] == [
        ("deny", None), ("allow", "succeeded"), ("escalate", None), ("allow", "succeeded"),
    ]  # fmt: skip


def test_a_host_is_opened_and_closed_in_a_loop(site: Site) -> None:
    async def main() -> None:
        async with await vak.AsyncHost.open(site.config) as host:
            assert (await host.decide("ada", "files/read", "notes")).allowed
            # The same host.
            assert host.sync.decide("ada", "files/read", "notes").allowed
        with pytest.raises(vak.Stopped):
            host.sync.decide("ada", "files/read", "notes")
        with pytest.raises(vak.ConfigError):
            await vak.AsyncHost.open(site.folder / "missing.toml")
        # Nobody waits until it is open.
        opening = asyncio.create_task(vak.AsyncHost.open(site.config))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                host = await vak.AsyncHost.open(site.config)
                break
            except vak.ConfigError:
                assert asyncio.get_running_loop().time() < end
                await asyncio.sleep(0.02)
        await host.close()

    asyncio.run(main())
    with pytest.raises(TypeError):
        vak.AsyncHost(site.config)  # type: ignore[call-arg]
    assert site.log().told() == [("allow", "unknown")] * 2


def test_many_at_a_time(asked: Asked) -> None:
    async def one(number: int) -> None:
        async with await aio(asked).decide("ada", "files/read", "notes", {"n": number}) as decision:
            assert decision.arguments == {"n": number}
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(200)))

    asyncio.run(main())
    assert asked.close().told() == [("allow", "succeeded")] * 200


def test_it_is_a_coroutine_and_not_an_answer(asked: Asked) -> None:
    async def main() -> None:
        deciding = decide(asked)
        assert isinstance(deciding, Coroutine) and asyncio.iscoroutine(deciding)
        # The mistake that would allow everything.
        with pytest.raises(TypeError, match="allowed"):
            if deciding:  # pyright: ignore[reportGeneralTypeIssues]
                pytest.fail("it was not awaited")
        assert not hasattr(deciding, "allowed")
        assert (await deciding).allowed
        with pytest.raises(RuntimeError, match="once"):
            await deciding
        assert (await asyncio.create_task(decide(asked))).allowed
        assert (await asyncio.wait_for(decide(asked), PATIENCE_S)).allowed
        # Not awaited, so nothing was asked.
        decide(asked)
        decide(asked).close()
        ignored = decide(asked)
        ignored.close()
        with pytest.raises(RuntimeError):
            await ignored
        with pytest.raises(asyncio.CancelledError):
            decide(asked).throw(asyncio.CancelledError())

    asyncio.run(main())
    assert asked.close().told() == [("allow", "unknown")] * 3


def test_two_await_the_same(asked: Asked) -> None:
    async def main() -> None:
        deciding = decide(asked)

        async def one() -> vak.AsyncDecision:
            return await deciding

        decided = await asyncio.gather(one(), one(), return_exceptions=True)
        assert sorted(type(it).__name__ for it in decided) == ["AsyncDecision", "RuntimeError"]

    asyncio.run(main())


def test_what_is_cancelled_is_undone(asked: Asked) -> None:
    """Whenever it is cancelled: nothing is held, and no allow is left without its end."""

    async def cancelled_after(turns: int) -> bool:
        task = asyncio.create_task(aio(asked).decide("ada", "pay", "shop", attributes={"cost": 100}))
        for _ in range(turns):
            await asyncio.sleep(0 if turns < 5 else random.random() * 0.001)
        task.cancel()
        try:
            decision = await task
        except asyncio.CancelledError:
            return True
        if decision.allowed:
            await decision.failed()
        return False

    async def main() -> None:
        cancelled = [await cancelled_after(turns % 12) for turns in range(60)]
        assert any(cancelled)

    asyncio.run(main())
    # A hundred of a hundred is free again: no verdict that nobody saw holds it.
    until(lambda: pays(asked, 100), "what was cancelled is given back")
    log = asked.close()
    assert log.all_ended(), log.told()
    assert ("allow", "succeeded") in log.told() and len(log.told()) > 1


def pays(asked: Asked, cost: int) -> bool:
    with contextlib.suppress(vak.Denied), asked.pay(cost):
        return True
    return False


def test_a_block_that_is_cancelled_is_unknown(asked: Asked) -> None:
    async def block(entered: asyncio.Event) -> None:
        async with await decide(asked):
            entered.set()
            await asyncio.sleep(PATIENCE_S)

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(block(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(block(asyncio.Event()), 0.2)
        with pytest.raises(TimeoutError):
            async with await decide(asked):
                raise TimeoutError

    asyncio.run(main())
    log = asked.close()
    assert log.told() == [("allow", "unknown")] * 3
    assert log.details() == ["CancelledError", "CancelledError", "TimeoutError"]


def test_a_report_that_is_cancelled_arrives(asked: Asked) -> None:
    async def main() -> None:
        for turns in range(10):
            decision = await decide(asked)
            task = asyncio.create_task(decision.succeeded())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    log = asked.close()
    assert log.all_ended() and ("allow", "succeeded") in log.told()


def test_loops_share_a_host(asked: Asked) -> None:
    failed: list[BaseException] = []

    async def main() -> None:
        for _ in range(20):
            async with await decide(asked) as decision:
                await asyncio.sleep(0)
                assert decision.allowed

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    # One loop after another in this thread.
    run()
    run()
    for thread in threads:
        thread.join()
    assert failed == []
    assert asked.close().told() == [("allow", "succeeded")] * 120


def test_a_loop_that_is_gone_leaves_nothing_open(asked: Asked) -> None:
    """It is closed while it waits, by force and without cancelling anything."""

    async def begin(kept: list[Any]) -> None:
        kept.extend(asyncio.ensure_future(aio(asked).decide("ada", "pay", "shop", attributes={"cost": 1})) for _ in range(8))
        await asyncio.sleep(0)

    for _ in range(5):
        kept: list[Any] = []
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin(kept))
        loop.close()
        kept.clear()
        gc.collect()
    until(lambda: gc.collect() == 0, "nobody has anything of it")
    assert asked.close().all_ended()


def test_without_a_loop_nothing_is_allowed(asked: Asked) -> None:
    deciding = decide(asked)
    try:
        deciding.send(None)
    except StopIteration as done:
        assert done.value.allowed
        del done
    except RuntimeError:
        pass
    del deciding
    gc.collect()
    assert asked.close().all_ended()


def test_a_task_group_ends_its_decisions(asked: Asked) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    async def works() -> None:
        while True:
            async with await decide(asked):
                await asyncio.sleep(0.001)

    async def main() -> None:
        tasks = [asyncio.ensure_future(it) for it in (fails(), works(), works(), works())]
        with pytest.raises(ValueError):
            await asyncio.gather(*tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert asked.close().all_ended()


def test_a_server_that_stands_still_is_not_waited_for(served: Served) -> None:
    async def main() -> None:
        async with served.client().aio as client:
            assert (await client.decide("ada", "files/read", "notes")).allowed
            served.halt()
            task = asyncio.create_task(client.decide("ada", "pay", "shop", attributes={"cost": 100}))
            await asyncio.sleep(0.3)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            served.go_on()

    asyncio.run(main())
    with served.client() as client:
        until(lambda: allowed(client, 100), "what was cancelled is given back")
    served.stop()
    log = served.site.log()
    assert log.all_ended() and "whoever asked went before the verdict could be told" in log.details()


def allowed(client: vak.Client, cost: int) -> bool:
    decision = client.decide("ada", "pay", "shop", attributes={"cost": cost})
    if decision.allowed:
        decision.succeeded()
    return decision.allowed


