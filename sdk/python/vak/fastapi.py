"""FastAPI and other ASGI applications: requests that happen only if they are allowed.

`Governed` is a middleware that decides every request. `decided` is a dependency
that decides one route, with the arguments that matter there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from . import _hosts
from ._errors import ArgumentError, Backtracked, Denied, Escalated, Refused, VakError
from ._native import AsyncDecision

__all__ = ["Governed", "NotAllowed", "decided"]

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


def _problem(error: VakError) -> tuple[int, dict[str, str], dict[str, Any]]:
    """The status, headers and problem details (RFC 9457) for what is not allowed."""
    status, headers, title = 503, {}, "It could not be decided"
    # Why something can't be decided is for the operator.
    details: dict[str, Any] = {"detail": "the host has no answer; nothing was done"}
    if isinstance(error, ArgumentError):
        status, title, details = 400, "The request is not what it has to be", {"detail": str(error)}
    elif isinstance(error, Refused):
        details = {"detail": str(error)}
        status, title = 403, "It is not allowed"
        if isinstance(error, Denied) and error.retry_after_ms is not None:
            status, title = 429, "It is not allowed yet"
            headers["retry-after"] = str(-(-error.retry_after_ms // 1000))
        elif isinstance(error, Escalated):
            title = "A person has to approve it"
            details["approval"] = error.seq
        elif isinstance(error, Backtracked):
            title = "Try another way"
    return status, headers, {"type": "about:blank", "title": title, "status": status, **details}


class NotAllowed(HTTPException):
    """A request that must not happen, with problem details in `detail`."""

    def __init__(self, error: VakError) -> None:
        status, headers, details = _problem(error)
        super().__init__(status, details, headers)


class Governed:
    """A middleware that has every HTTP request decided before the application sees it.

    The operation is `http/METHOD`, the resource is the path, and the arguments are
    `path` and `query`. `agent` says who asks: a name, or an awaitable function of the
    connection's scope. Whoever it can't name should make it raise, or give a name
    that no policy permits anything. What is not allowed is answered with problem
    details: 403, 429 where a limit has room later, 503 where nothing could be decided.
    Web sockets are decided too, as `http/WEBSOCKET`, and closed before they are
    accepted. `outside` are paths that are not decided, such as of health checks.

    >>> app = FastAPI()  # doctest: +SKIP
    >>> app.add_middleware(vak.fastapi.Governed, host=host, agent=who)  # doctest: +SKIP
    """

    def __init__(
        self,
        app: _App,
        *,
        host: _hosts.AnyHost,
        agent: str | Callable[[_Scope], Awaitable[str]],
        labels: tuple[str, ...] = (),
        outside: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._host = _hosts.aio(host)
        self._agent = agent
        self._labels = labels
        self._outside = frozenset(outside)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in self._outside:
            await self._app(scope, receive, send)
            return
        try:
            decision = (await self._decide(scope)).raise_for_verdict()
        except VakError as error:
            await _refuse(scope, receive, send, error)
            return
        status = 500

        async def watched(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        async with decision:
            await self._app(scope, receive, watched)
            if status >= 500:
                await decision.failed(f"status {status}")

    async def _decide(self, scope: _Scope) -> AsyncDecision:
        agent = self._agent if isinstance(self._agent, str) else await self._agent(scope)
        path = scope["path"]
        query: dict[str, Any] = {}
        for key, value in parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True):
            query.setdefault(key, []).append(value)
        method = scope.get("method", "WEBSOCKET")
        arguments = {"path": path, "query": query}
        decision: AsyncDecision = await self._host.decide(
            agent, f"http/{method}", path, arguments, labels=self._labels
        )
        return decision


async def _refuse(scope: _Scope, receive: _Receive, send: _Send, error: VakError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
        return
    status, headers, details = _problem(error)
    told = {"content-type": "application/problem+json", "cache-control": "no-store", **headers}
    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": json.dumps(details).encode()})


def _parameters(request: Request) -> dict[str, Any]:
    """The parameters of path and query. One that is there twice is read in one way by
    some and in another by others, so it is refused."""
    given: dict[str, Any] = dict(request.path_params)
    for key, value in request.query_params.multi_items():
        if key in given:
            raise ArgumentError(f"the parameter `{key}` is there twice")
        given[key] = value
    return given


def decided(
    host: _hosts.AnyHost,
    operation: str,
    *,
    agent: str | Callable[[Request], Awaitable[str]],
    resource: str | Callable[[Request], str] | None = None,
    arguments: Callable[[Request], Awaitable[dict[str, Any]]] | None = None,
    labels: tuple[str, ...] = (),
) -> Callable[[Request], AsyncIterator[AsyncDecision]]:
    """A dependency that lets a route run only if `operation` is allowed.

    It gives the decision; how the route ends is its outcome. The arguments are the
    path's and query's parameters, or what `arguments` makes of the request, such as
    its body. An obligation to other arguments is a deny: a route reads its request by
    itself.

    >>> @app.post("/pay", dependencies=[Depends(decided(host, "pay", agent=who))])  # doctest: +SKIP
    ... async def pay() -> None: ...
    """
    aio = _hosts.aio(host)

    async def dependency(request: Request) -> AsyncIterator[AsyncDecision]:
        who = agent if isinstance(agent, str) else await agent(request)
        what = resource(request) if callable(resource) else resource or request.url.path
        try:
            given = await arguments(request) if arguments else _parameters(request)
            decision = (await aio.decide(who, operation, what, given, labels=labels)).raise_for_verdict()
        except VakError as error:
            raise NotAllowed(error) from error
        async with decision:
            yield decision

    return dependency
