"""Functions and applications that run only if they are allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import vak
from sites import Site
from vak.fastapi import Governed, decided

RULES = """
[[rule]]
id = "all"
effect = "permit"
operations = ["python/*", "files/*", "http/*", "pay"]
[[rule]]
id = "no-delete"
effect = "forbid"
operations = ["files/delete", "http/DELETE"]
[[rule]]
id = "hidden"
effect = "permit"
operations = ["files/redact"]
obligations = [{ redact = { argument = "/path", with = "gone" } }]
[[rule]]
id = "large"
effect = "escalate"
operations = ["pay"]
when = [{ argument = "/amount", equals = "large" }]
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, rules=RULES, limits="")


@pytest.fixture
def host(site: Site) -> Iterator[vak.Host]:
    with vak.Host(site.config) as host:
        yield host


def test_a_function_runs_if_its_call_is_allowed(site: Site, host: vak.Host) -> None:
    ran: list[Any] = []

    @vak.guarded(host, agent="ada", operation="files/read", ignore=("connection",))
    def read(path: str, *more: int, connection: object = None, **others: int) -> str:
        """Reads."""
        ran.append((path, more, connection, others))
        return "text"

    own = object()
    assert read("a", 1, 2, connection=own, x=3) == "text" and read.__doc__ == "Reads."
    assert ran == [("a", (1, 2), own, {"x": 3})]

    @vak.guarded(host, agent=lambda given: given["who"], operation="files/redact", resource=lambda given: given["path"])
    def hidden(path: str, who: str = "ada") -> str:
        return path

    assert hidden("secret") == "gone"

    @vak.guarded(host, agent="ada", operation="files/delete")
    def delete(path: str) -> None:
        ran.append("deleted")

    with pytest.raises(vak.Denied):
        delete("a")
    with pytest.raises(TypeError):
        delete()  # type: ignore[call-arg]
    for no_json in (object(), {1: 2}, float("nan"), "\ud800", b"x", "x" * (10 << 20)):
        with pytest.raises(vak.ArgumentError):
            delete(no_json)  # type: ignore[arg-type]
    assert ran[1:] == []
    host.close()
    assert site.log().told() == [("allow", "succeeded"), ("allow", "succeeded"), ("deny", None)]


def test_how_a_function_ends_is_recorded(site: Site, host: vak.Host) -> None:
    @vak.guarded(host, agent="ada")
    def fails(how: str) -> object:
        if how == "error":
            raise ValueError("it failed")
        if how == "interrupt":
            raise KeyboardInterrupt
        # Of what is no JSON there is no digest.
        return object()

    with pytest.raises(ValueError):
        fails("error")
    with pytest.raises(KeyboardInterrupt):
        fails("interrupt")
    fails("not at all")

    @vak.guarded(host, agent="ada")
    async def waits(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "waited"

    async def cancelled() -> None:
        task = asyncio.ensure_future(waits(60.0))
        await asyncio.sleep(0.3)
        task.cancel()
        await task

    assert asyncio.run(waits(0.0)) == "waited"
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    host.close()
    log = site.log()
    assert [status for _, status in log.told()] == ["failed", "unknown", "succeeded", "succeeded", "unknown"]


def test_what_can_t_be_guarded_is_refused(host: vak.Host) -> None:
    guard = vak.guarded(host, agent="ada")
    with pytest.raises(TypeError):

        @guard
        def generates() -> Iterator[int]:
            yield 1

    with pytest.raises(TypeError):
        vak.guarded(host, agent="ada", ignore=("nothing",))(lambda: None)

    # A closed host lets nothing happen.
    ran = []
    late = guard(lambda: ran.append(1))
    host.close()
    with pytest.raises(vak.Stopped):
        late()
    assert ran == []


def application(host: vak.Host, ran: list[str]) -> Any:
    async def who(scope: Any) -> str:
        return str(dict(scope["headers"]).get(b"x-agent", b"nobody").decode("latin-1"))

    async def body(request: Request) -> dict[str, Any]:
        given = await request.json()
        if not isinstance(given, dict):
            raise vak.ArgumentError("the body is no object")
        return given

    app = FastAPI()
    app.add_middleware(Governed, host=host, agent=who, outside=("/health",))

    @app.post("/pay", dependencies=[Depends(decided(host, "pay", agent="ada", arguments=body))])
    async def pay() -> str:
        ran.append("pay")
        return "paid"

    @app.get("/read/{name}", dependencies=[Depends(decided(host, "files/read", agent="ada"))])
    async def read(name: str) -> str:
        ran.append(name)
        return name

    @app.get("/redact", dependencies=[Depends(decided(host, "files/redact", agent="ada"))])
    async def redact(path: str) -> str:
        ran.append(path)
        return path

    @app.delete("/all")
    async def delete() -> str:
        ran.append("delete")
        return "deleted"

    @app.get("/fails")
    async def fails() -> str:
        raise RuntimeError("it failed")

    @app.get("/health")
    async def health() -> str:
        return "fine"

    return app


def test_requests_happen_if_they_are_allowed(site: Site, host: vak.Host) -> None:

    ran: list[str] = []
    client = TestClient(application(host, ran), raise_server_exceptions=False, headers={"x-agent": "ada"})
    assert client.get("/read/a").json() == "a" and client.post("/pay", json={"amount": "small"}).json() == "paid"
    denied = client.delete("/all")
    assert denied.status_code == 403 and denied.headers["content-type"] == "application/problem+json"
    assert "no-delete" in denied.json()["detail"]
    escalated = client.post("/pay", json={"amount": "large"})
    assert escalated.status_code == 403 and escalated.json()["detail"]["approval"] >= 0
    # Two readings of one request, and an obligation that a route can't meet.
    assert client.get("/read/a?name=b").status_code == 400
    assert client.get("/redact?path=a").status_code == 403
    assert client.post("/pay", json=[1]).status_code == 400
    assert client.post("/pay", content=b"{", headers={"content-type": "application/json"}).status_code >= 400
    assert client.get("/fails").status_code == 500
    assert client.get("/health").json() == "fine"
    assert ran == ["a", "pay"]
    host.close()
    assert client.get("/read/a").status_code == 503 and ran == ["a", "pay"]
    log = site.log()
    assert log.all_ended() and ("allow", "failed") in log.told()


def test_a_web_socket_is_decided_before_it_is_accepted(host: vak.Host) -> None:

    app = FastAPI()
    app.add_middleware(Governed, host=host, agent="ada")
    accepted = []

    @app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        accepted.append(1)
        await socket.accept()
        await socket.close()

    client = TestClient(app)
    with client.websocket_connect("/talk"):
        pass
    host.close()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/talk"):
        pass
    assert accepted == [1]


def test_200_requests_at_a_time(site: Site, host: vak.Host) -> None:
    ran: list[str] = []
    app = application(host, ran)

    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app", headers={"x-agent": "ada"}) as client:
            paths = [f"/read/{at}" if at % 2 else "/all" for at in range(200)]
            asked = (client.request("GET" if at % 2 else "DELETE", path) for at, path in enumerate(paths))
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    statuses = asyncio.run(all_at_once())
    assert statuses == [403 if at % 2 == 0 else 200 for at in range(200)]
    assert sorted(ran, key=int) == [str(at) for at in range(200) if at % 2]
    host.close()
    told = site.log().told()
    assert told.count(("allow", "succeeded")) == 200 and told.count(("deny", None)) == 100
