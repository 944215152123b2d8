"""Servers that go away, come back, and are none."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import vak
from sites import Served, Site, served_site, token

DECIDE = ("ada", "files/read", "notes")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_a_server_goes_away_and_comes_back(tmp_path: Path) -> None:
    site = served_site(tmp_path, f"listen = '127.0.0.1:{free_port()}'")
    served = Served(site)
    with served.client() as client:
        held = client.decide(*DECIDE)
        assert held.allowed
        served.stop()
        for _ in range(3):
            with pytest.raises(vak.Unreachable) as raised:
                client.decide(*DECIDE)
            assert isinstance(raised.value, ConnectionError) and served.url in str(raised.value)
        with pytest.raises(vak.Unreachable):
            held.succeeded()

        async def again() -> None:
            with pytest.raises(vak.Unreachable):
                await client.aio.decide(*DECIDE)

        asyncio.run(again())
        served = Served(site)
        assert client.decide(*DECIDE).allowed
        # Its outcome was recorded when the server went.
        with pytest.raises(vak.NotOpen):
            held.succeeded()
        with client.decide(*DECIDE):
            pass
        # An id from before can't be answered as it was, and is not decided again.
        assert client.decide(*DECIDE, id="one").allowed
        served.stop()
        served = Served(site)
        with pytest.raises(vak.Problem) as gone:
            client.decide(*DECIDE, id="one")
        assert gone.value.kind == "result-gone"
    served.stop()
    assert site.log().all_ended()


def test_a_retry_with_an_id_is_the_same_action(served: Served) -> None:
    with served.client() as client:
        first = client.decide("ada", "pay", "shop", attributes={"cost": 80}, id="pay-1")
        again = client.decide("ada", "pay", "shop", attributes={"cost": 80}, id="pay-1")
        assert first.allowed and again.allowed and first.action == again.action
        first.succeeded()
        with pytest.raises(vak.NotOpen):
            again.succeeded()
        assert not client.decide("ada", "pay", "shop", attributes={"cost": 80}, id="pay-2").allowed
        with pytest.raises(vak.Problem) as raised:
            client.decide("ada", "pay", "shop", attributes={"cost": 1}, id="pay-1")
        assert (raised.value.kind, raised.value.status) == ("id-in-use", 409)
        with pytest.raises(vak.ArgumentError):
            client.decide(*DECIDE, id="a b")
        run = [client.execute("ada", "calculator", {"expression": "1 + 1"}, id="run") for _ in range(2)]
        assert run[0].action == run[1].action and run[1].output == {"value": 2.0}
    served.stop()
    assert served.site.log().told() == [("allow", "succeeded"), ("deny", None), ("allow", "succeeded")]


def test_who_may_not_is_told_so(served: Served) -> None:
    for name, kind in ((None, "unauthorized"), ("nobody", "unauthorized"), ("grace", "scope")):
        with vak.Client(served.url, token=token(name) if name else None) as client:
            with pytest.raises(vak.Problem) as raised:
                client.decide(*DECIDE)
            assert raised.value.kind == kind and raised.value.detail
    served.stop()
    assert served.site.log().told() == []


def test_a_unix_socket(tmp_path: Path) -> None:
    socket_lines = f"socket = {{ path = '{tmp_path}/vak.sock', scopes = ['decide'], agents = ['ada'] }}"
    served = Served(Site(tmp_path, server=f"[server]\n{socket_lines}\n"))
    with vak.Client(served.url) as client:
        with client.decide(*DECIDE, {"n": 1}) as decision:
            assert decision.arguments == {"n": 1}
        with pytest.raises(vak.Problem) as raised:
            client.decide("bob", "files/read", "notes")
        assert raised.value.kind == "agent"
    served.stop()
    assert served.site.log().told() == [("allow", "succeeded")]
    with vak.Client(f"unix:{tmp_path}/none.sock") as client, pytest.raises(vak.Unreachable):
        client.decide(*DECIDE)


def test_tls(tmp_path: Path) -> None:
    tls = Path(os.environ["VAK_TLS"])
    lines = f"certificate = '{tls}/server.pem'\nkey = '{tls}/server.key'\nclient_ca = '{tls}/ca.pem'"
    site = Site(tmp_path, server=f"[server]\nlisten = '127.0.0.1:0'\n[server.tls]\n{lines}\n{server_tokens()}")
    served = Served(site)
    url = served.url.replace("127.0.0.1", "localhost")
    assert url.startswith("https://")
    own: dict[str, Any] = {"certificate": tls / "client.pem", "key": tls / "client.key"}
    with vak.Client(url, token=token("app"), ca=tls / "ca.pem", **own) as client:
        assert client.decide(*DECIDE).allowed
        assert client.decide(*DECIDE).allowed

        async def also() -> bool:
            return (await client.aio.decide(*DECIDE)).allowed

        assert asyncio.run(also())
    settings: list[dict[str, Any]] = [
        # Nobody knows this authority.
        own,
        # It wants to see a certificate.
        {"ca": tls / "ca.pem"},
        {"ca": tls / "other.pem", **own},
    ]
    for setting in settings:
        with vak.Client(url, token=token("app"), **setting) as client, pytest.raises(vak.Unreachable):
            client.decide(*DECIDE)
    # The certificate is another's.
    other = url.replace("localhost", "127.0.0.1")
    with vak.Client(other, token=token("app"), ca=tls / "ca.pem", **own) as client, pytest.raises(vak.Unreachable):
        client.decide(*DECIDE)
    with vak.Client(url.replace("https", "http"), token=token("app")) as client, pytest.raises(vak.Unreachable):
        client.decide(*DECIDE)
    served.stop()
    assert site.log().told() == [("allow", "unknown")] * 3


def server_tokens() -> str:
    from sites import TOKENS

    return TOKENS


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("127.0.0.1:8787", {}),
        ("ftp://127.0.0.1", {}),
        ("http://", {}),
        ("http://a b", {}),
        ("http://127.0.0.1/v1", {}),
        ("http://127.0.0.1/?a", {}),
        ("http://user@127.0.0.1", {}),
        ("unix:", {}),
        ("", {}),
        ("http://example.org", {"token": "secret"}),
        ("http://127.0.0.1", {"token": "a\nb"}),
        ("http://127.0.0.1", {"ca": "ca.pem"}),
        ("https://127.0.0.1", {"ca": "/nowhere/ca.pem"}),
        ("https://127.0.0.1", {"certificate": "/nowhere/ca.pem"}),
    ],
)
def test_what_can_not_be_meant(url: str, settings: dict[str, str]) -> None:
    with pytest.raises(vak.ConfigError) as raised:
        vak.Client(url, **settings)  # type: ignore[arg-type]
    assert "secret" not in str(raised.value)
    with pytest.raises(vak.ArgumentError):
        vak.Client("http://127.0.0.1", timeout_s=0)


def test_a_closed_client_asks_nothing(served: Served) -> None:
    client = served.client()
    client.close()
    client.close()
    with pytest.raises(vak.Stopped):
        client.decide(*DECIDE)


# What follows answers as no server of ours does.

ALLOW: dict[str, Any] = {
    "action": "a-1",
    "verdict": {"decision": "allow", "reasons": [], "unsigned": False},
    "receipt": {"origin": "example.org/x", "seq": 1, "tier": "durable", "leaf": "sha256:00", "checkpoint": "x"},
}


def without(name: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in ALLOW.items() if key != name} | more


def answer(status: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def answering(*answers: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Something that is asked, once for each of `answers`, and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection: socket.socket | None = None
        for reply in answers:
            while True:
                if connection is None:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                if request := read(connection):
                    break
                connection.close()
                connection = None
            asked.append(request)
            reply(connection)
            if connection.fileno() < 0:
                connection = None
        if connection is not None:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65_536)):
            return b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def ends(connection: socket.socket) -> None:
    connection.close()


WRONG: dict[str, bytes] = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half an answer": answer("200 OK", json.dumps(ALLOW).encode())[:-10],
    "no JSON": answer("200 OK", b"allow"),
    "nothing": answer("200 OK", b""),
    "empty": answer("200 OK", b"{}"),
    "a list": answer("200 OK", b"[]"),
    "another status": answer("204 No Content", b""),
    "allow with another status": answer("201 Created", json.dumps(ALLOW).encode()),
    "a redirect": b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    "no receipt": answer("200 OK", json.dumps(without("receipt")).encode()),
    "no verdict": answer("200 OK", json.dumps(without("verdict")).encode()),
    "no action": answer("200 OK", json.dumps(without("action")).encode()),
    "a word that is not known": answer("200 OK", json.dumps(without("verdict", verdict={"decision": "permit"})).encode()),
    "in capitals": answer("200 OK", json.dumps(ALLOW).replace("allow", "ALLOW").encode()),
    "twice": answer("200 OK", b'{"action": "b",' + json.dumps(ALLOW)[1:].encode()),
    "two verdicts": answer(
        "200 OK", json.dumps(ALLOW).replace('{"decision"', '{"decision": "deny", "decision"').encode()
    ),
    "an allow of something more": answer(
        "200 OK", json.dumps(ALLOW).replace('"unsigned"', '"but": "not now", "unsigned"').encode()
    ),
    "a page": answer("502 Bad Gateway", b"<html>allow</html>", "text/html"),
    "a problem of another": answer("403 Forbidden", b'{"title": "allow"}'),
}


@pytest.mark.parametrize("reply", WRONG.values(), ids=WRONG)
def test_what_is_not_understood_is_no_allow(reply: bytes) -> None:
    def once(connection: socket.socket) -> None:
        connection.sendall(reply)
        connection.close()

    with answering(once) as (url, asked), vak.Client(url) as client:
        with pytest.raises(vak.Unreachable):
            client.decide(*DECIDE)
        assert len(asked) == 1


def test_what_is_understood_is_one() -> None:
    """So that what is refused above is refused for what is wrong with it."""
    good, recorded = json.dumps(ALLOW).encode(), json.dumps({"receipt": ALLOW["receipt"]}).encode()
    with answering(says(answer("200 OK", good)), says(answer("200 OK", recorded))) as (url, asked):
        with vak.Client(url) as client, client.decide(*DECIDE, {"n": 1}) as decision:
            assert decision.arguments == {"n": 1}
        assert b'"status":"succeeded"' in asked[1]


def test_what_may_have_arrived_is_not_sent_again() -> None:
    good = says(answer("200 OK", json.dumps(ALLOW).encode()))
    recorded = says(answer("200 OK", json.dumps({"receipt": ALLOW["receipt"]}).encode()))
    # On a connection that was good before.
    with answering(good, recorded, ends) as (url, asked), vak.Client(url) as client:
        client.decide(*DECIDE).succeeded()
        with pytest.raises(vak.Unreachable, match="not known"):
            client.decide(*DECIDE)
        assert len(asked) == 3
    # With an id it is, once.
    with answering(good, recorded, ends, good, recorded) as (url, asked), vak.Client(url) as client:
        client.decide(*DECIDE).succeeded()
        client.decide(*DECIDE, id="one").succeeded()
        assert len(asked) == 5 and asked[2] == asked[3]
    with answering(good, recorded, ends, ends) as (url, asked), vak.Client(url) as client:
        client.decide(*DECIDE).succeeded()
        with pytest.raises(vak.Unreachable):
            client.decide(*DECIDE, id="one")
        assert len(asked) == 4


def test_who_answers_too_late_is_not_waited_for() -> None:
    late = threading.Event()

    def wait(connection: socket.socket) -> None:
        late.wait()

    with answering(wait) as (url, asked), vak.Client(url, timeout_s=0.3) as client:
        with pytest.raises(vak.Unreachable, match=r"within 0\.3 s"):
            client.decide(*DECIDE)
        late.set()
        assert len(asked) == 1
