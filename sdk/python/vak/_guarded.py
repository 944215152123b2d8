"""Functions that run only if their call is allowed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from . import _hosts
from ._errors import ArgumentError
from ._native import AsyncDecision, Decision

__all__ = ["guarded"]

P = ParamSpec("P")
R = TypeVar("R")

def guarded(
    host: _hosts.AnyHost,
    *,
    agent: str | Callable[[dict[str, Any]], str],
    operation: str | None = None,
    resource: str | Callable[[dict[str, Any]], str] | None = None,
    session: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets a function run only if `host` allows its call, and reports how it ended.

    The arguments of the action are those of the call by name, defaults included,
    and the function is called with what the decision makes of them. `agent` and
    `resource` may be functions of these. `ignore` names parameters that are no part
    of the action, such as connections: they are passed on as they are.

    A call that is not allowed raises `Denied`, `Escalated` or `Backtracked`, one whose
    arguments are no JSON raises `ArgumentError`; the function does not run then. Of a
    result that is JSON the log has the digest. For a coroutine function everything is
    awaited. Generators are refused: what they do happens after the call.

    >>> @vak.guarded(host, agent="ada", operation="files/read")
    ... def read(path: str) -> str:
    ...     return f"the text of {path}"
    >>> read("/work/a")
    'the text of /work/a'
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator can't be guarded: what it does happens after its call")
        signature = inspect.signature(function)
        unknown = set(ignore) - set(signature.parameters)
        if unknown:
            raise TypeError(f"`ignore` names parameters that are not there: {', '.join(sorted(unknown))}")
        named = operation or f"python/{function.__module__}.{function.__qualname__}"

        def asked(bound: inspect.BoundArguments) -> tuple[tuple[str, str, str, dict[str, Any]], dict[str, Any]]:
            bound.apply_defaults()
            given = {name: value for name, value in bound.arguments.items() if name not in ignore}
            who = agent(given) if callable(agent) else agent
            what = resource(given) if callable(resource) else resource
            more = {"session": session, "attributes": attributes, "labels": labels, "able": ("arguments",)}
            return (who, named, what or f"python:{named}", given), more

        def carried_out(bound: inspect.BoundArguments, decision: Decision | AsyncDecision) -> None:
            changed = decision.arguments
            for name in [name for name in bound.arguments if name not in ignore]:
                value = changed[name]
                # JSON has no tuples, and this one is of the call itself.
                variadic = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
                bound.arguments[name] = tuple(value) if variadic else value

        if inspect.iscoroutinefunction(function):
            aio = _hosts.aio(host)

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                bound = signature.bind(*args, **kwargs)
                words, more = asked(bound)
                decision = await aio.decide(*words, **more)
                async with decision:
                    carried_out(bound, decision)
                    result = await function(*bound.args, **bound.kwargs)
                    try:
                        await decision.succeeded(result)
                    except ArgumentError:
                        await decision.succeeded()
                return result

            return cast("Callable[P, R]", awaited)

        sync = _hosts.sync(host)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            words, more = asked(bound)
            decision = sync.decide(*words, **more)
            with decision:
                carried_out(bound, decision)
                result = function(*bound.args, **bound.kwargs)
                try:
                    decision.succeeded(cast("Any", result))
                except ArgumentError:
                    decision.succeeded()
            return result

        return called

    return decorate


guarded.__module__ = "vak"
