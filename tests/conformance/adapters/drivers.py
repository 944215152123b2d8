"""Agents of each framework that make the calls they are told to.

A driver has the real framework run an agent whose model is a script: first the
calls, then a word to end with. It gives what the model was told of each call.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

import vak
from scripted_claude import Model
from tools import NAMES, Call, Tools

AnyHost = vak.Host | vak.Client


class Driver(Protocol):
    """An agent of one framework."""

    name: str
    #: The adapter that it asks through; `None` for those that need none.
    adapter: str | None
    #: What the operations of its tools begin with.
    prefix: str
    #: Whether it can be told other arguments.
    rewrites: bool
    #: Whether an agent can be a tool of another.
    nests: bool
    #: Whether it can stream.
    streams: bool
    #: Whether it can be cancelled while a tool runs.
    cancels: bool
    #: Whether a host that can't be asked ends the run with an error.
    raises: bool

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        """What the model was told of each call, in their order."""


def _langchain_tools(tools: Tools, nest: Callable[[], str]) -> list[Any]:
    from langchain_core.tools import StructuredTool

    def make(name: str) -> Any:
        def run(argument: str) -> str:
            if name == "nest":
                nest()
            return tools.run(name, argument)

        return StructuredTool.from_function(run, name=name, description="A tool.")

    return [make(name) for name in NAMES]


def _langchain_model(calls: Sequence[Call]) -> Any:
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    class Scripted(GenericFakeChatModel):
        def bind_tools(self, *_arguments: Any, **_more: Any) -> Any:
            return self

    made = [{"name": it.tool, "args": it.arguments, "id": it.id, "type": "tool_call"} for it in calls]
    return Scripted(messages=iter([AIMessage(content="", tool_calls=made), AIMessage(content="done")]))


class LangChain:
    """`create_agent` with `GovernanceMiddleware`."""

    adapter: str | None = "langchain"
    prefix = "langchain/"
    rewrites = nests = streams = raises = True

    def __init__(self, *, awaited: bool) -> None:
        self.name = "LangChain, async" if awaited else "LangChain"
        self._awaited = awaited
        # A thread can't be cancelled.
        self.cancels = awaited

    def agent(self, host: AnyHost, tools: Tools, calls: Sequence[Call], inner: Sequence[Call], retries: int) -> Any:
        from langchain.agents import create_agent
        from langchain.agents.middleware import ToolRetryMiddleware

        from vak.langchain import GovernanceMiddleware

        def nest() -> str:
            return "; ".join(LangChain(awaited=False).run(host, tools, inner))

        middleware: list[Any] = [GovernanceMiddleware(host, agent="ada", interrupts=False)]
        if retries:
            middleware.insert(0, ToolRetryMiddleware(max_retries=retries, initial_delay=0.0, jitter=False))
        return create_agent(_langchain_model(calls), _langchain_tools(tools, nest), middleware=middleware)

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        agent = self.agent(host, tools, calls, inner, retries)
        question = {"messages": [("user", "hello")]}
        config = {"configurable": {"thread_id": "kit"}}
        if self._awaited:
            return asyncio.run(_cancelled(self._arun(agent, question, config, streamed), cancel_after))
        if streamed:
            messages = [it for chunk in agent.stream(question, config, stream_mode="updates") for it in _messages(chunk)]
        else:
            messages = agent.invoke(question, config)["messages"]
        return _tool_messages(messages)

    async def _arun(self, agent: Any, question: Any, config: Any, streamed: bool) -> list[str]:
        if streamed:
            chunks = agent.astream(question, config, stream_mode="updates")
            return _tool_messages([it async for chunk in chunks for it in _messages(chunk)])
        return _tool_messages((await agent.ainvoke(question, config))["messages"])


def _messages(chunk: dict[str, Any]) -> list[Any]:
    return [message for update in chunk.values() if update for message in update.get("messages", [])]


def _tool_messages(messages: list[Any]) -> list[str]:
    return [str(message.content) for message in messages if message.type == "tool"]


class LangGraph:
    """A graph with the `ToolNode` of `vak.langgraph`."""

    name = "LangGraph"
    adapter: str | None = "langchain"
    prefix = "langchain/"
    rewrites = nests = streams = True
    cancels = raises = True

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        from langgraph.graph import END, START, MessagesState, StateGraph
        from langgraph.types import RetryPolicy

        from vak.langgraph import governed

        def nest() -> str:
            return "; ".join(LangChain(awaited=False).run(host, tools, inner))

        model = _langchain_model(calls)
        node = governed(_langchain_tools(tools, nest), host, agent="ada", interrupts=False, handle_tool_errors=False)
        graph = StateGraph(MessagesState)
        graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        policy = RetryPolicy(max_attempts=retries + 1, initial_interval=0.0, jitter=False, retry_on=RuntimeError)
        graph.add_node("tools", node, retry_policy=policy if retries else None)
        graph.add_edge(START, "model")
        graph.add_edge("model", "tools")
        graph.add_edge("tools", END)
        agent: Any = graph.compile()
        question = {"messages": [("user", "hello")]}
        config = {"configurable": {"thread_id": "kit"}}
        if streamed:
            messages = [it for chunk in agent.stream(question, config, stream_mode="updates") for it in _messages(chunk)]
            return _tool_messages(messages)

        async def arun() -> list[str]:
            return _tool_messages((await agent.ainvoke(question, config))["messages"])

        return asyncio.run(_cancelled(arun(), cancel_after))


class OpenAIAgents:
    """An `Agent` that `vak.openai_agents.governed` has wrapped."""

    name = "OpenAI Agents"
    adapter: str | None = "openai-agents"
    prefix = "openai-agents/"
    rewrites = nests = streams = True
    cancels = raises = True

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        from agents import Agent, FunctionTool, Runner, set_tracing_disabled

        from vak.openai_agents import governed

        set_tracing_disabled(True)
        model = _scripted_openai(calls)

        def make(name: str) -> FunctionTool:
            async def invoke(_context: Any, arguments: str) -> str:
                given = json.loads(arguments)["argument"]
                if name == "nest":
                    inner_model = _scripted_openai(inner)
                    within = Agent(name="inner", model=inner_model, tools=[make(it) for it in NAMES])
                    await Runner.run(governed(within, host, agent="ada", conversation="kit"), "hello")
                # The framework can try nothing again by itself.
                for attempt in range(retries + 1):
                    try:
                        return await asyncio.to_thread(tools.run, name, given)
                    except RuntimeError:
                        if attempt == retries:
                            raise
                return ""

            schema = {"type": "object", "properties": {"argument": {"type": "string"}}, "required": ["argument"]}
            return FunctionTool(name, "A tool.", schema, invoke, strict_json_schema=False)

        outer = Agent(name="outer", model=model, tools=[make(it) for it in NAMES])
        agent = governed(outer, host, agent="ada", conversation="kit")

        async def arun() -> None:
            if streamed:
                result = Runner.run_streamed(agent, "hello")
                async for _event in result.stream_events():
                    pass
            else:
                await Runner.run(agent, "hello")

        asyncio.run(_cancelled(arun(), cancel_after))
        return [str(it["output"]) for it in model.seen if it.get("type") == "function_call_output"]


def _scripted_openai(calls: Sequence[Call]) -> Any:
    from agents import Model, ModelResponse, Usage
    from openai.types.responses import (
        Response,
        ResponseCompletedEvent,
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputText,
    )

    made = [
        ResponseFunctionToolCall(
            id=f"fc_{it.id}", call_id=it.id, name=it.tool, arguments=json.dumps(it.arguments), type="function_call"
        )
        for it in calls
    ]
    text = ResponseOutputText(type="output_text", text="done", annotations=[])
    done = ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])

    class Scripted(Model):
        def __init__(self) -> None:
            self.turns: list[list[Any]] = [made, [done]]
            self.seen: list[Any] = []

        async def get_response(self, system_instructions: Any, input: Any, *_more: Any, **_even_more: Any) -> ModelResponse:
            self.seen = list(input) if isinstance(input, list) else []
            return ModelResponse(output=self.turns.pop(0), usage=Usage(), response_id=None)

        async def stream_response(
            self, system_instructions: Any, input: Any, *_more: Any, **_even_more: Any
        ) -> AsyncIterator[Any]:
            self.seen = list(input) if isinstance(input, list) else []
            response = Response(
                id="r", created_at=0, model="scripted", object="response", output=self.turns.pop(0),
                tool_choice="auto", tools=[], parallel_tool_calls=True,
            )
            yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)

    return Scripted()


class Guarded:
    """Functions under `vak.guarded`, called by an application's own loop."""

    name = "vak.guarded"
    adapter: str | None = None
    prefix = "kit/"
    rewrites = nests = True
    streams = False
    cancels = raises = True

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        def guarded(tool: str) -> Callable[..., Any]:
            @vak.guarded(host, agent="ada", operation=f"kit/{tool}")
            async def run(argument: str) -> str:
                if tool == "nest":
                    await asyncio.gather(*(one(call) for call in inner))
                return await asyncio.to_thread(tools.run, tool, argument)

            return run

        async def one(call: Call) -> str:
            for attempt in range(retries + 1):
                try:
                    return str(await guarded(call.tool)(**call.arguments))
                except vak.Refused as refused:
                    return str(refused)
                except RuntimeError:
                    if attempt == retries:
                        raise
            return ""

        async def arun() -> list[str]:
            return list(await asyncio.gather(*(one(call) for call in calls)))

        return asyncio.run(_cancelled(arun(), cancel_after))


async def _cancelled(work: Any, after: float | None) -> Any:
    """Cancels it after so many seconds, if it is to be."""
    task = asyncio.ensure_future(work)
    if after is not None:
        asyncio.get_running_loop().call_later(after, task.cancel)
    return await task


class ClaudeAgent:
    """The Claude Agent SDK: the real Claude Code, with the hooks of `vak.claude_agent`
    and tools of this process."""

    name = "Claude Agent SDK"
    adapter: str | None = "claude-code"
    prefix = "claude-code/mcp__kit__"
    rewrites = nests = cancels = True
    # It always does, and has no way to end a run with an error of a hook.
    streams = raises = False

    def run(self, host: AnyHost, tools: Tools, calls: Sequence[Call], *, inner: Sequence[Call] = (),
            streamed: bool = False, retries: int = 0, cancel_after: float | None = None) -> list[str]:
        # The model tries again, since the framework does not.
        again = [Call(call.tool, call.arguments, f"{call.id}_again") for call in calls]
        model = Model([calls, *[again] * retries], "mcp__kit__{}")
        try:
            asyncio.run(_cancelled(self._arun(host, tools, model, inner), cancel_after))
        finally:
            model.close()
        assert not model.strange, model.strange
        last = again if retries else calls
        return [model.told[call.id] for call in last if call.id in model.told]

    async def _arun(self, host: AnyHost, tools: Tools, model: Model, inner: Sequence[Call]) -> None:
        from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, create_sdk_mcp_server, tool

        from vak.claude_agent import hooks

        def make(name: str) -> Any:
            @tool(name, "A tool.", {"argument": str})
            async def run(given: dict[str, Any]) -> dict[str, Any]:
                if name == "nest":
                    await asyncio.to_thread(ClaudeAgent().run, host, tools, inner)
                text = await asyncio.to_thread(tools.run, name, given["argument"])
                return {"content": [{"type": "text", "text": text}]}

            return run

        # Each run is a conversation of its own, and a person's yes is good in one. A
        # server would have to open it.
        session = "kit" if isinstance(host, vak.Host) else None
        quiet = ["DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_BUG_COMMAND"]
        with tempfile.TemporaryDirectory() as folder:
            environment = {name: "1" for name in [*quiet, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]}
            environment |= {"ANTHROPIC_BASE_URL": model.address, "ANTHROPIC_API_KEY": "none"}
            environment |= {"HOME": folder, "CLAUDE_CONFIG_DIR": folder, "no_proxy": "127.0.0.1"}
            # Whatever it asked of anybody else would come to the model, which says so.
            environment |= {name: model.address for name in ("http_proxy", "https_proxy")}
            options = ClaudeAgentOptions(
                hooks=hooks(host, agent="ada", session=session),
                mcp_servers={"kit": create_sdk_mcp_server("kit", tools=[make(name) for name in NAMES])},
                allowed_tools=[f"mcp__kit__{name}" for name in NAMES],
                model="claude-sonnet-4-5",
                cwd=folder,
                env=environment,
                setting_sources=[],
            )
            async with ClaudeSDKClient(options) as client:
                await client.query("hello")
                async for _message in client.receive_response():
                    pass


DRIVERS: list[Driver] = [
    LangChain(awaited=False),
    LangChain(awaited=True),
    LangGraph(),
    OpenAIAgents(),
    ClaudeAgent(),
    Guarded(),
]
