"""The examples, as they are run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from sites import PATIENCE_S, Site, until

EXAMPLES = Path(os.environ["VAK_EXAMPLES"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    adapters = ""
    for name in ("langchain", "openai-agents"):
        component = Path(os.environ["VAK_COMPONENTS"]) / f"{name}.wasm"
        adapters += f"[[adapters]]\nname = '{name}'\ncomponent = '{component}'\n[adapters.limits]\nwall_ms_max = 10_000\n"
    return Site(tmp_path, rules=(EXAMPLES / "rules.toml").read_text(), limits="", server=adapters)


def run(site: Site, name: str) -> list[str]:
    command: list[str | Path] = [sys.executable, EXAMPLES / name, site.config]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ran.returncode == 0, ran.stderr
    assert site.log().all_ended()
    return ran.stdout.splitlines()


def test_langchain_agent(site: Site) -> None:
    assert run(site, "langchain_agent.py") == [
        "asked: policy `rules`, rule `payments-are-approved`",
        "delete_file: denied by policy `rules`, rule `nothing-is-deleted`: files stay where they are",
        "search: found somebody",
        "pay: paid 5",
    ]


def test_langgraph_graph(site: Site) -> None:
    assert run(site, "langgraph_graph.py") == [
        "delete_file: denied by policy `rules`, rule `nothing-is-deleted`: files stay where they are",
        "search: found somebody",
    ]


def test_openai_agents_agent(site: Site) -> None:
    assert run(site, "openai_agents_agent.py") == [
        'asked: pay {"amount": 5}',
        "call_delete_file: denied by policy `rules`, rule `nothing-is-deleted`: files stay where they are",
        "call_pay: paid 5",
        "ended with: billed",
    ]


@pytest.fixture
def service(site: Site) -> Iterator[str]:
    command = [sys.executable, "-m", "uvicorn", "--port", "0", "--no-access-log", "fastapi_service:app"]
    environment = {**os.environ, "VAK_CONFIG": str(site.config)}
    process = subprocess.Popen(command, cwd=EXAMPLES, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "running on " in line:
            yield line.split("running on ")[1].split()[0]
            break
    process.terminate()
    # It ends as the signal has it, once it has ended well.
    assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)


def test_fastapi_service(site: Site, service: str) -> None:
    until(lambda: httpx.get(f"{service}/health").status_code == 200, "health")
    headers = {"x-agent": "ada"}

    def one(at: int) -> int:
        # One connection each: a pool that threads share closes what is in use at times.
        connection = HTTPConnection(service.removeprefix("http://"), timeout=PATIENCE_S)
        with closing(connection):
            connection.request("GET", f"/notes/{at}", headers=headers)
            return connection.getresponse().status

    with ThreadPoolExecutor(200) as threads:
        assert list(threads.map(one, range(200))) == [200] * 200
    with httpx.Client(base_url=service, headers=headers, timeout=PATIENCE_S) as client:
        assert client.post("/notes/1").status_code == 403
        assert client.get("/notes/1?name=2").status_code == 400
