"""Tool calls of LangChain and LangGraph, from being asked to their end.

The adapter says what a call asks for and what the framework is told; here are only
the objects of the framework, as JSON and back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command, interrupt

from ._asker import Asker
from ._hosts import Answer

__all__ = ["ToolCalls"]

_Result = ToolMessage | Command[Any]


class ToolCalls:
    """What wraps tool calls, in threads and in event loops."""

    def __init__(
        self,
        asker: Asker,
        agent: str | Callable[[ToolCallRequest], str],
        *,
        interrupts: bool,
        answered: Callable[[Any], Answer | None] | None,
    ) -> None:
        self._asker = asker
        self._agent = agent
        self._interrupts = interrupts
        self._answered = answered

    def call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], _Result]) -> _Result:
        """Has the call decided, and made if it is allowed."""
        agent = self._who(request)
        asked = self._asker.ask(agent, _asks(request))
        if asked.reply["action"] == "interrupt" and self._interrupts:
            answer = self._resumed(asked.reply)
            if answer is not None:
                self._asker.answer(asked.reply["value"]["seq"], answer)
            # Whoever answered elsewhere did it before the graph was resumed.
            asked = self._asker.ask(agent, _asks(request))
        allowed = _told(request, asked.reply)
        if isinstance(allowed, ToolMessage):
            return allowed
        try:
            result = handler(allowed)
        except GraphBubbleUp:
            # An interrupt of the tool itself, which begins again when it is resumed.
            raise
        except Exception as error:
            self._asker.end(agent, asked, _failed(request, error), failed=True)
            raise
        self._asker.end(agent, asked, _gave(request, result), failed=False)
        return result

    async def acall(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[_Result]]
    ) -> _Result:
        """The same, awaited."""
        agent = self._who(request)
        asked = await self._asker.aask(agent, _asks(request))
        if asked.reply["action"] == "interrupt" and self._interrupts:
            answer = self._resumed(asked.reply)
            if answer is not None:
                await self._asker.aanswer(asked.reply["value"]["seq"], answer)
            asked = await self._asker.aask(agent, _asks(request))
        allowed = _told(request, asked.reply)
        if isinstance(allowed, ToolMessage):
            return allowed
        # A task that is cancelled here may have done it. Nothing is awaited in it any
        # more: the decision says so when it is dropped.
        try:
            result = await handler(allowed)
        except GraphBubbleUp:
            raise
        except Exception as error:
            await self._asker.aend(agent, asked, _failed(request, error), failed=True)
            raise
        await self._asker.aend(agent, asked, _gave(request, result), failed=False)
        return result

    def _who(self, request: ToolCallRequest) -> str:
        return self._agent(request) if callable(self._agent) else self._agent

    def _resumed(self, reply: dict[str, Any]) -> Answer | None:
        """Puts the question to whoever resumes the graph. The first time this raises."""
        payload = interrupt(reply["value"])
        return self._answered(payload) if self._answered else None


def _asks(request: ToolCallRequest) -> dict[str, Any]:
    tool = {"name": request.tool.name, "description": request.tool.description} if request.tool else None
    return {"event": "tool_call", "tool": tool, **_names(request)}


def _gave(request: ToolCallRequest, result: _Result) -> dict[str, Any]:
    return {"event": "tool_result", "result": _dumped(result), **_names(request)}


def _failed(request: ToolCallRequest, error: Exception) -> dict[str, Any]:
    return {"event": "tool_error", "error": repr(error), **_names(request)}


def _names(request: ToolCallRequest) -> dict[str, Any]:
    """What tells one call from another."""
    config = getattr(request.runtime, "config", None) or {}
    configurable = config.get("configurable") or {}
    names: dict[str, Any] = {"tool_call": dict(request.tool_call)}
    for name in ("thread_id", "checkpoint_ns"):
        # A thread may have been named with a number or a UUID.
        if configurable.get(name) is not None:
            names[name] = str(configurable[name])
    return names


def _told(request: ToolCallRequest, reply: dict[str, Any]) -> ToolCallRequest | ToolMessage:
    """What is to be called, or what stands in its place. Nothing but these two words
    lets a call happen."""
    if reply["action"] == "allow":
        return request
    if reply["action"] == "override":
        return request.override(tool_call={**request.tool_call, "args": reply["args"]})
    return ToolMessage(**reply["tool_message"])


def _dumped(result: _Result) -> Any:
    if isinstance(result, ToolMessage):
        return result.model_dump(mode="json")
    # Its fields may hold objects of the application's own.
    return {"command": {"goto": repr(result.goto), "update": repr(result.update)}}
