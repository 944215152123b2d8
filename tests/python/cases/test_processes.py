"""Forks, threads, signals, and the end of Python."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import vak
from sites import PATIENCE_S, Asked, Served, Site, python, until


def in_a_child(run: Callable[[], None]) -> None:
    """Runs it in a fork of this process, which ends in time."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(int(PATIENCE_S))
            run()
            code = 0
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_fork_has_nothing_of_its_parent(asked: Asked, tmp_path: Path) -> None:
    decision, closed = asked.decide(), asked.decide("files/ask")
    deciding = asked.it.aio.decide("ada", "files/read", "notes")
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with asked.decide():
                pass

    def child() -> None:
        nonlocal decision, deciding
        # Verdicts are values; all else is the parent's.
        assert decision.allowed and not closed.allowed
        for call in (
            lambda: asked.decide(),
            lambda: asked.it.execute("ada", "calculator", {"expression": "1"}),
            lambda: asked.it.open_session("ada"),
            lambda: asked.it.approvals(),
            lambda: asked.it.aio.decide("ada", "files/read", "notes"),
            lambda: asked.it.close(),
            lambda: deciding.send(None),
            lambda: decision.succeeded(),
            lambda: decision.unknown(),
        ):
            with pytest.raises(vak.Forked, match="fork"):
                call()
        # What is left is dropped, and nothing waits for a lock that nobody holds.
        del decision, deciding
        gc.collect()
        if asked.served is None:
            other = tmp_path / f"child-{os.getpid()}"
            other.mkdir()
            with vak.Host(Site(other).config) as host, host.decide("ada", "files/read", "notes"):
                pass
        else:
            with asked.served.client() as client, client.decide("ada", "files/read", "notes"):
                pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        in_a_child(child)
    stop.set()
    for thread in threads:
        thread.join()
    # The parent's are what they were.
    decision.succeeded()
    log = asked.close()
    assert log.told()[0] == ("allow", "succeeded") and log.all_ended()
    if asked.served is None:
        told = [status for word, status in log.told() if word == "allow"]
        assert set(told) == {"succeeded"}


def test_threads_share_a_host(asked: Asked) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(50):
                with asked.decide("files/read", {"n": [number, turn]}) as decision:
                    assert decision.arguments == {"n": [number, turn]}
                assert not asked.decide("files/delete").allowed
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    told = asked.close().told()
    assert sorted(told, key=str) == [("allow", "succeeded")] * 400 + [("deny", None)] * 400


def test_one_outcome_whoever_is_first(asked: Asked) -> None:
    for _ in range(20):
        decision = asked.decide()
        reported: list[bool] = []

        def report(decision: vak.Decision = decision, reported: list[bool] = reported) -> None:
            try:
                decision.succeeded()
                reported.append(True)
            except vak.NotOpen:
                reported.append(False)

        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(reported) == [False, False, False, True]


def test_closing_waits_for_what_is_under_way(site: Site) -> None:
    host = vak.Host(site.config)
    ended: list[str] = []

    def work() -> None:
        try:
            while True:
                with host.decide("ada", "files/read", "notes"):
                    pass
        except (vak.Stopped, vak.NotOpen) as error:
            ended.append(type(error).__name__)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    closers = [threading.Thread(target=host.close) for _ in range(3)]
    for thread in closers:
        thread.start()
    for thread in closers + threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert len(ended) == 4
    host.close()
    # Closed for good: another process can have the log.
    assert site.log().all_ended()
    with vak.Host(site.config) as again:
        assert again.decide("ada", "files/read", "notes").allowed


class Interrupted(Exception):
    pass


def test_signals_interrupt_and_leave_nothing_open(asked: Asked) -> None:
    """At whichever instruction: each allow that was recorded has its one outcome."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = done = 0
    try:
        for turn in range(150):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.000_2 + turn % 50 * 0.000_1)
                with asked.decide():
                    asked.decide().succeeded("x")
                done += 1
            except Interrupted:
                interrupted += 1
            finally:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except Interrupted:
                    signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 10, (interrupted, done)
    assert asked.decide().allowed
    gc.collect()
    if asked.served is not None:
        # The server may be about to hear of some.
        asked.it.close()
    log = asked.close()
    assert log.all_ended(), log.told()


def test_ctrl_c_ends_the_waiting(served: Served) -> None:
    with served.client() as client:
        assert client.decide("ada", "files/read", "notes").allowed
        served.halt()
        timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
        timer.start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.decide("ada", "pay", "shop", attributes={"cost": 100})
        assert time.monotonic() - start < 10
        timer.join()
        served.go_on()

        def paid() -> bool:
            decision = client.decide("ada", "pay", "shop", attributes={"cost": 100})
            if decision.allowed:
                decision.succeeded()
            return decision.allowed

        until(paid, "what was interrupted is given back")
    served.stop()
    log = served.site.log()
    assert log.all_ended() and "whoever asked went before the verdict could be told" in log.details()


PRELUDE = "import asyncio, gc, sys, threading, time, vak\nhost = vak.Host(sys.argv[1])\n"

ENDS = {
    "with what is left": "kept = [host.decide('ada', 'files/read', 'n') for _ in range(3)]",
    "in a cycle": "kept = [host.decide('ada', 'files/read', 'n'), host]; kept.append(kept); del kept, host",
    "in a block": "decision = host.decide('ada', 'files/read', 'n')\nwith decision: sys.exit(0)",
    "in a loop": """
async def main():
    tasks = [asyncio.ensure_future(host.aio.decide('ada', 'files/read', 'n')) for _ in range(9)]
    await asyncio.sleep(0)
    sys.exit(0)
asyncio.run(main())""",
    "without its loop": """
async def main():
    globals()['tasks'] = [asyncio.ensure_future(host.aio.decide('ada', 'files/read', 'n')) for _ in range(9)]
    await asyncio.sleep(0)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())""",
    "under threads": """
def work():
    while True:
        try:
            with host.decide('ada', 'files/read', 'n'): pass
        except (vak.Stopped, vak.NotOpen): time.sleep(0.001)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)""",
    "when it is dropped": "host.decide('ada', 'files/read', 'n'); del host; gc.collect()",
    "while it opens another": "import os\ntry: vak.Host(sys.argv[1])\nexcept vak.ConfigError: pass\nhost.decide('ada', 'files/read', 'n')",
    "after a fork": """
import os
decision = host.decide('ada', 'files/read', 'n')
child = os.fork()
if child: assert os.waitpid(child, 0)[1] == 0""",
}


@pytest.mark.parametrize("script", ENDS.values(), ids=ENDS)
def test_python_ends_and_the_log_is_whole(site: Site, script: str) -> None:
    ended = python(PRELUDE + script, site.config)
    # What `asyncio` has to say about it is its own.
    said = [line for line in ended.stderr.splitlines() if not line.startswith(("Task was destroyed", "task: <Task"))]
    assert (ended.returncode, said) == (0, []), ended.stderr
    log = site.log()
    assert log.all_ended(), log.told()


def test_without_its_native_part_there_is_no_package(tmp_path: Path) -> None:
    package = Path(vak.__file__).parent
    copied = tmp_path / "vak"
    copied.mkdir()
    for file in package.glob("*.py"):
        (copied / file.name).write_text(file.read_text())
    ended = python(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport vak")
    assert ended.returncode == 1 and "ModuleNotFoundError: No module named 'vak._native'" in ended.stderr


def test_what_is_asked_for_the_package_is_all_that_is_loaded() -> None:
    """A program that only imports it does not wait for an event loop's library."""
    ended = python("import sys, vak\nprint(sorted({'asyncio', 'typing', 'json'} & set(sys.modules)))")
    assert ended.stdout == "[]\n", ended
