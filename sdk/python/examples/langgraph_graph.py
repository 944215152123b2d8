"""A graph of LangGraph with a governed tool node."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

import vak
from langchain_agent import delete_file, search
from vak.langgraph import governed


def model(_state: MessagesState) -> dict[str, Any]:
    """A model that follows a script."""
    wanted = [("delete_file", {"path": "a"}), ("search", {"query": "Grace Hopper"})]
    made = [{"name": name, "args": args, "id": f"call_{name}", "type": "tool_call"} for name, args in wanted]
    return {"messages": [AIMessage(content="", tool_calls=made)]}


async def main(config: str) -> None:
    async with await vak.AsyncHost.open(config) as host:
        graph: Any = StateGraph(MessagesState)
        graph.add_node("model", model)
        graph.add_node("tools", governed([delete_file, search], host, agent="ada", interrupts=False))
        graph.add_edge(START, "model")
        graph.add_edge("model", "tools")
        graph.add_edge("tools", END)
        state = await graph.compile().ainvoke({"messages": [("user", "get to work")]})
        for message in state["messages"]:
            if message.type == "tool":
                print(f"{message.name}: {message.content}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
