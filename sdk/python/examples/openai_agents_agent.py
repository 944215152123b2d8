"""An agent of the OpenAI Agents SDK whose tools and handoffs are decided."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import vak
from vak.openai_agents import governed


@function_tool
def delete_file(path: str) -> str:
    """Deletes a file."""
    return f"{path} is gone"


@function_tool
def pay(amount: int) -> str:
    """Pays an amount."""
    return f"paid {amount}"


class Scripted(Model):
    """A model that follows a script, and keeps what it was told."""

    def __init__(self, *turns: list[Any]) -> None:
        self.turns = list(turns)
        self.told: Any = None

    async def get_response(self, system_instructions: Any, input: Any, *_more: Any, **_others: Any) -> ModelResponse:
        self.told = input
        return ModelResponse(output=self.turns.pop(0), usage=Usage(), response_id=None)

    def stream_response(self, *_more: Any, **_others: Any) -> AsyncIterator[Any]:
        raise NotImplementedError("the script is not streamed")


def call(name: str, **arguments: Any) -> ResponseFunctionToolCall:
    text = json.dumps(arguments)
    return ResponseFunctionToolCall(id=f"fc_{name}", call_id=f"call_{name}", name=name, arguments=text, type="function_call")


def says(text: str) -> ResponseOutputMessage:
    content = [ResponseOutputText(type="output_text", text=text, annotations=[])]
    return ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=list(content))


async def ask_person(seq: int, tool: str, arguments: str) -> vak.Answer | None:
    """Asks whoever sits before the application."""
    print(f"asked: {tool} {arguments}")
    return vak.Answer(by="grace", approve=True)


async def main(config: str) -> None:
    set_tracing_disabled(True)
    async with await vak.AsyncHost.open(config) as host:
        billing = Agent(name="billing", model=Scripted([says("billed")]))
        model = Scripted([call("delete_file", path="a"), call("pay", amount=5)], [call("transfer_to_billing")])
        agent = Agent(name="triage", model=model, tools=[delete_file, pay], handoffs=[billing])
        result = await Runner.run(governed(agent, host, agent="ada", ask_person=ask_person), "get to work")
        for item in model.told:
            if item.get("type") == "function_call_output":
                print(f"{item['call_id']}: {item['output']}")
        print("ended with:", result.final_output)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
