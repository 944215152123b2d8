"""A LangChain agent whose tool calls are decided."""

from __future__ import annotations

import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import vak
from vak.langchain import GovernanceMiddleware


@tool
def delete_file(path: str) -> str:
    """Deletes a file."""
    return f"{path} is gone"


@tool
def search(query: str) -> str:
    """Searches for something."""
    return f"found {query}"


@tool
def pay(amount: int) -> str:
    """Pays an amount."""
    return f"paid {amount}"


class Scripted(GenericFakeChatModel):
    """A model that says what it is told to say."""

    def bind_tools(self, *_tools: Any, **_more: Any) -> Any:
        return self


def calls(*made: tuple[str, dict[str, Any]]) -> Scripted:
    tool_calls = [{"name": name, "args": args, "id": f"call_{at}", "type": "tool_call"} for at, (name, args) in enumerate(made)]
    return Scripted(messages=iter([AIMessage(content="", tool_calls=tool_calls), AIMessage(content="done")]))


def answered(resumed: Any) -> vak.Answer | None:
    """What a person said, as the application that resumes the graph knows it."""
    return vak.Answer(by=resumed["by"], approve=resumed["decisions"][0]["type"] == "approve")


def main(config: str) -> None:
    with vak.Host(config) as host:
        governance = GovernanceMiddleware(host, agent="ada", answered=answered)
        script = calls(("delete_file", {"path": "a"}), ("search", {"query": "Grace Hopper"}), ("pay", {"amount": 5}))
        agent = create_agent(script, [delete_file, search, pay], middleware=[governance], checkpointer=InMemorySaver())
        thread: Any = {"configurable": {"thread_id": "1"}}
        state = agent.invoke({"messages": [HumanMessage("get to work")]}, thread)
        (question,) = state["__interrupt__"]
        print("asked:", question.value["reason"])
        state = agent.invoke(Command(resume={"by": "grace", "decisions": [{"type": "approve"}]}), thread)
        for message in state["messages"]:
            if message.type == "tool":
                print(f"{message.name}: {message.content}")


if __name__ == "__main__":
    main(sys.argv[1])
