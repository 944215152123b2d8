"""How long the Python SDK takes: medians, each beside what it is measured against.

Run by `cargo xtask bench python`, which builds the native part optimised. Arguments: a
folder for the site, the program `vak`, and the folder of the components.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.prebuilt.tool_node import ToolCallRequest

import vak
from vak.langchain import GovernanceMiddleware

CALLS = 5_000
WARM_UP = 500


def site(folder: Path, program: Path, components: Path) -> Path:
    subprocess.run([program, "key", "new", folder / "log.key"], check=True, stdout=subprocess.DEVNULL)
    rules = '[[rule]]\nid = "all"\neffect = "permit"\noperations = ["files/*", "langchain/*"]\n'
    (folder / "rules.toml").write_text(rules)
    config = folder / "vak.toml"
    config.write_text(f"""
state = "state"
trust.keys = [{{ name = "publisher", public = "{(components / "publisher.pub").read_text().strip()}", may_permit = true }}]
audit = {{ origin = "example.org/bench", key = "log.key", release = "accepted" }}
[[policies]]
name = "rules"
component = "{components}/rules.wasm"
config = "rules.toml"
may_permit = true
[[adapters]]
name = "langchain"
component = "{components}/langchain.wasm"
""")
    return config


def median(once: Callable[[], Any], calls: int = CALLS) -> float:
    """In microseconds."""
    samples = []
    for at in range(calls + WARM_UP):
        start = time.perf_counter_ns()
        once()
        if at >= WARM_UP:
            samples.append(time.perf_counter_ns() - start)
    return statistics.median(samples) / 1_000


def per_second(host: vak.Host, threads: int) -> tuple[float, float]:
    """Decisions of so many threads at once, and how many cores the process kept busy."""
    count = 10_000

    def work() -> None:
        for _ in range(count):
            host.decide("ada", "files/read", "notes", {"path": "/work/a"})

    running = [threading.Thread(target=work) for _ in range(threads)]
    start, used = time.perf_counter(), time.process_time()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    took = time.perf_counter() - start
    return threads * count / took, (time.process_time() - used) / took


async def awaited(host: vak.AsyncHost) -> float:
    samples = []
    for at in range(CALLS + WARM_UP):
        start = time.perf_counter_ns()
        await host.decide("ada", "files/read", "notes", {"path": "/work/a"})
        if at >= WARM_UP:
            samples.append(time.perf_counter_ns() - start)
    return statistics.median(samples) / 1_000


def imported() -> float:
    script = "import time\nstart = time.perf_counter()\nimport vak\nprint(time.perf_counter() - start)"
    runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(11)]
    return statistics.median(float(run.stdout) for run in runs) * 1_000


def tool_calls(host: vak.Host) -> tuple[float, float]:
    """A tool call with the middleware, and without."""
    middleware = GovernanceMiddleware(host, agent="ada", interrupts=False)
    given = ToolMessage(content="the text", name="read_file", tool_call_id="call_1")

    def handler(_request: ToolCallRequest) -> ToolMessage:
        return given

    number = 0

    def request() -> ToolCallRequest:
        nonlocal number
        number += 1
        call: Any = {"name": "read_file", "args": {"path": "/work/a"}, "id": f"call_{number}", "type": "tool_call"}
        return ToolCallRequest(tool_call=call, tool=None, state={}, runtime=None)  # type: ignore[arg-type]

    return (
        median(lambda: middleware.wrap_tool_call(request(), handler)),
        median(lambda: handler(request())),
    )


def row(what: str, measured: float, bar: float, unit: str, beside: str) -> None:
    word = "met" if measured <= bar else "MISSED"
    print(f"| {what} | {measured:.3g} {unit} | ≤ {bar:g} {unit} | {word} | {beside} |")


def main(folder: str, program: str, components: str) -> None:
    row("`import vak`", imported(), 50, "ms", "")
    with vak.Host(site(Path(folder), Path(program), Path(components))) as host:
        decided = median(lambda: host.decide("ada", "files/read", "notes", {"path": "/work/a"}))
        (one, cores), (two, more_cores) = per_second(host, 1), per_second(host, 2)
        beside = f"accepted, each with an outcome; {one:.0f} /s in one thread ({cores:.1f} cores busy with the log's)"
        beside += f", {two / one:.2f}× in two ({more_cores:.1f} of them)"
        row("Python: decide, in process", decided, 30, "µs", beside)
        row("Python: await decide, in process", asyncio.run(awaited(host.aio)), 60, "µs", "")
        governed, bare = tool_calls(host)
        beside = f"asked, decided, answered, its end told; the call without: {bare:.1f} µs"
        row("LangChain middleware, a tool call", (governed - bare) / 1_000, 0.3, "ms", beside)


if __name__ == "__main__":
    main(*sys.argv[1:])
