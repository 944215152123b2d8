"""LangChain: agents whose tool calls happen only if they are allowed.

>>> from langchain.agents import create_agent  # doctest: +SKIP
>>> from vak.langchain import GovernanceMiddleware  # doctest: +SKIP
>>> agent = create_agent(model, tools, middleware=[GovernanceMiddleware(host, agent="ada")])  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from ._asker import Asker
from ._hosts import Answer, AnyHost
from ._tool_calls import ToolCalls

__all__ = ["Answer", "GovernanceMiddleware"]


class GovernanceMiddleware(AgentMiddleware[Any, Any, Any]):
    """Has every tool call of an agent decided by `host`.

    What is denied becomes a `ToolMessage` with an error, which the model reads; what
    is only allowed with other arguments is called with those; what is escalated
    interrupts the graph, if it has a checkpointer, or else is such a message too
    (`interrupts=False`). When the graph is resumed the same is asked again: it is
    allowed if a person has approved it meanwhile. Where that person is the one who
    resumes, `answered` makes their `vak.Answer` of what the graph is resumed with; a
    host in this process takes it, a server only from the person's own token.

    Put it last among the middleware, so that nobody changes a call after it was
    decided. `agent` is who acts: a name, or a function of the request. The session is
    the graph's thread, unless `session` names one. If the host can't be asked, it
    raises, and the call does not happen.
    """

    def __init__(
        self,
        host: AnyHost,
        *,
        agent: str | Callable[[ToolCallRequest], str],
        adapter: str = "langchain",
        session: str | None = None,
        attributes: dict[str, Any] | None = None,
        labels: tuple[str, ...] = (),
        interrupts: bool = True,
        answered: Callable[[Any], Answer | None] | None = None,
    ) -> None:
        super().__init__()
        asker = Asker(host, adapter, session=session, attributes=attributes, labels=labels)
        self._calls = ToolCalls(asker, agent, interrupts=interrupts, answered=answered)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        """Called by the framework for each tool call."""
        return self._calls.call(request, handler)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
    ) -> ToolMessage | Command[Any]:
        """The same in an event loop."""
        return await self._calls.acall(request, handler)
