"""OpenAI Agents SDK: agents whose tools and handoffs run only if they are allowed.

>>> from agents import Agent, Runner  # doctest: +SKIP
>>> from vak.openai_agents import governed  # doctest: +SKIP
>>> agent = governed(Agent(name="triage", tools=[pay]), host, agent="ada")  # doctest: +SKIP
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from agents import Agent, FunctionTool, Handoff, RunContextWrapper, UserError, handoff
from agents.tool_context import ToolContext

from ._asker import Asker
from ._hosts import Answer, AnyHost

__all__ = ["Answer", "HandoffRefused", "governed", "governed_tool"]

_T = TypeVar("_T")

#: Asks a person about an escalated call: its number, its tool and its arguments. `None`
#: if nobody answered.
AskPerson = Callable[[int, str, str], Awaitable[Answer | None]]


class HandoffRefused(UserError):
    """A handoff that is not allowed. A handoff has no result that could say so."""


class _Governed:
    """What governs the tools of one agent."""

    def __init__(self, asker: Asker, agent: str, conversation: str, ask_person: AskPerson | None) -> None:
        self._asker = asker
        self._agent = agent
        self._conversation = conversation
        self._ask_person = ask_person

    def tool(self, tool: FunctionTool) -> FunctionTool:
        invoke = tool.on_invoke_tool

        async def on_invoke_tool(context: ToolContext[Any], arguments: str) -> Any:
            told = _told(tool, context, arguments, self._conversation)
            asked = await self._asker.aask(self._agent, {"event": "invoke_tool", **told})
            (decision,) = asked.decisions
            if self._ask_person and decision is not None and decision.verdict.decision == "escalate":
                # A verdict without a receipt is a deny.
                assert decision.receipt is not None
                answer = await self._ask_person(decision.receipt.seq, tool.name, arguments)
                if answer is not None:
                    await self._asker.aanswer(decision.receipt.seq, answer)
                    asked = await self._asker.aask(self._agent, {"event": "invoke_tool", **told})
            reply = asked.reply
            if reply["action"] == "allow":
                given = arguments
            elif reply["action"] == "override":
                given = reply["arguments"]
            else:
                return reply["message"]
            try:
                result = await invoke(context, given)
            except Exception as error:
                event = {"event": "tool_error", "error": repr(error), **told}
                await self._asker.aend(self._agent, asked, event, failed=True)
                raise
            result_told = result if isinstance(result, str) else repr(result)
            event = {"event": "tool_result", "result": result_told, **told}
            await self._asker.aend(self._agent, asked, event, failed=False)
            return result

        return replace(tool, on_invoke_tool=on_invoke_tool)

    def handoff(self, to: Handoff[Any, Any]) -> Handoff[Any, Any]:
        invoke = to.on_invoke_handoff

        async def on_invoke_handoff(context: RunContextWrapper[Any], arguments: str) -> Any:
            named = {"tool_name": to.tool_name, "agent_name": to.agent_name}
            event = {"event": "invoke_handoff", "handoff": named, "input_json": arguments or "{}"}
            asked = await self._asker.aask(self._agent, {**event, "session_id": self._conversation})
            reply = asked.reply
            if reply["action"] == "allow":
                given = arguments
            elif reply["action"] == "override":
                given = reply["arguments"]
            else:
                raise HandoffRefused(reply["message"])
            (decision,) = asked.decisions
            try:
                agent = await invoke(context, given)
            except Exception as error:
                if decision is not None:
                    await cast("Awaitable[Any]", decision.failed(repr(error)))
                raise
            if decision is not None:
                await cast("Awaitable[Any]", decision.succeeded())
            return agent

        return replace(to, on_invoke_handoff=on_invoke_handoff)


def governed(
    agent_: Agent[_T],
    host: AnyHost,
    *,
    agent: str,
    adapter: str = "openai-agents",
    session: str | None = None,
    conversation: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
    ask_person: AskPerson | None = None,
    ungoverned: tuple[str, ...] = (),
) -> Agent[_T]:
    """The same agent with its function tools, its handoffs and, through these, the
    agents that it hands off to, decided by `host`.

    What is not allowed is what the model reads as the tool's result, and a
    `HandoffRefused` for a handoff. What is escalated is refused with its number, unless
    `ask_person` brings a person's answer; a server takes that from the person's own
    token alone. Tools that OpenAI or the SDK itself runs, such as web search and the
    shell, and tools of MCP servers do not pass through here: an agent that has some is
    refused with a `TypeError`, unless `ungoverned` names them. Put an MCP server behind
    `vak mcp` instead. If the host can't be asked, that is an error of the run.

    `conversation` is what you call it, such as the id of the SDK's `Session`: what a
    person approved can be asked for again in it, in another run. If it is left out,
    each agent that is governed has one of its own.
    """
    asker = Asker(host, adapter, session=session, attributes=attributes, labels=labels)
    through = _Governed(asker, agent, conversation or f"run-{uuid.uuid4()}", ask_person)
    return _agent(agent_, through, frozenset(ungoverned), {})


def governed_tool(
    tool: FunctionTool,
    host: AnyHost,
    *,
    agent: str,
    adapter: str = "openai-agents",
    session: str | None = None,
    conversation: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
    ask_person: AskPerson | None = None,
) -> FunctionTool:
    """One tool, as `governed` has it."""
    asker = Asker(host, adapter, session=session, attributes=attributes, labels=labels)
    return _Governed(asker, agent, conversation or f"run-{uuid.uuid4()}", ask_person).tool(tool)


def _agent(agent: Agent[_T], through: _Governed, ungoverned: frozenset[str], done: dict[int, Agent[Any]]) -> Agent[_T]:
    # Agents may hand off to each other in circles.
    if id(agent) in done:
        return done[id(agent)]
    servers = {server.name for server in agent.mcp_servers}
    others = {tool.name for tool in agent.tools if not isinstance(tool, FunctionTool)}
    missed = (servers | others) - ungoverned
    if missed:
        names = ", ".join(f"`{name}`" for name in sorted(missed))
        raise TypeError(f"agent `{agent.name}` has tools that are not run here and so can't be governed: {names}")
    clone = agent.clone()
    done[id(agent)] = clone
    clone.tools = [through.tool(tool) if isinstance(tool, FunctionTool) else tool for tool in agent.tools]
    clone.handoffs = []
    for to in agent.handoffs:
        if isinstance(to, Handoff):
            # Which agent it makes is known only when it is made.
            clone.handoffs.append(through.handoff(to))
        else:
            clone.handoffs.append(through.handoff(handoff(_agent(to, through, ungoverned, done))))
    return clone


def _told(tool: FunctionTool, context: ToolContext[Any], arguments: str, conversation: str) -> dict[str, Any]:
    origin = getattr(tool, "_tool_origin", None)
    return {
        "context": {
            "tool_name": context.tool_name,
            "tool_call_id": context.tool_call_id,
            "tool_arguments": arguments,
            "tool_namespace": context.tool_namespace,
        },
        "tool": {
            "name": tool.name,
            "type": type(tool).__name__,
            "origin": origin.to_json_dict() if origin else {"type": "function"},
        },
        "session_id": conversation,
    }


