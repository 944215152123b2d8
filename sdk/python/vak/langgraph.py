"""LangGraph: tool nodes whose calls happen only if they are allowed.

>>> from vak.langgraph import governed  # doctest: +SKIP
>>> graph.add_node("tools", governed(tools, host, agent="ada"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest

from ._asker import Asker
from ._hosts import Answer, AnyHost
from ._tool_calls import ToolCalls

__all__ = ["Answer", "governed"]


def governed(
    tools: Sequence[BaseTool | Callable[..., Any]],
    host: AnyHost,
    *,
    agent: str | Callable[[ToolCallRequest], str],
    adapter: str = "langchain",
    session: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
    interrupts: bool = True,
    answered: Callable[[Any], Answer | None] | None = None,
    **node: Any,
) -> ToolNode:
    """A `ToolNode` with these tools, of which each call is decided by `host`. See
    `vak.langchain.GovernanceMiddleware` for what the rest means; `node` is what
    `ToolNode` takes beside that."""
    asker = Asker(host, adapter, session=session, attributes=attributes, labels=labels)
    calls = ToolCalls(asker, agent, interrupts=interrupts, answered=answered)
    return ToolNode(tools, wrap_tool_call=calls.call, awrap_tool_call=calls.acall, **node)
