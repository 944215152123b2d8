import json
from dataclasses import dataclass
from typing import Any

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.adapter import (
    AdapterError_Malformed,
    AdapterError_UnknownMessage,
    Answer,
    Info,
    Intake,
    Intake_Actions,
    Intake_Pass,
    Request,
)
from wit_world.imports.verdicts import Decision


@dataclass
class Call:
    id: str
    name: str
    arguments: str


# Runs without clock, randomness, files and standard output: using one ends the
# component. `Err` carries the error of the WIT `result`.
class Adapter(exports.Adapter):
    def describe(self) -> Info:
        return Info("chat-completions", ["1"], rewrites=False)

    def ingest(self, event: str) -> Intake:
        calls = tool_calls(event)
        if not calls:
            return Intake_Pass()
        return Intake_Actions([request(call) for call in calls])

    def render(self, event: str, answers: list[Answer]) -> str:
        """The ids of the calls that may happen, and a tool message for each other."""
        calls = tool_calls(event)
        if len(calls) != len(answers):
            raise Err(AdapterError_Malformed(f"{len(calls)} calls and {len(answers)} answers"))
        allowed: list[str] = []
        messages: list[dict[str, str]] = []
        for call, answer in zip(calls, answers):
            verdict = answer.verdict
            if verdict.decision == Decision.ALLOW:
                allowed.append(call.id)
            else:
                content = f"{verdict.decision.name.lower()}: {verdict.reason}"
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
        return json.dumps({"allowed": allowed, "messages": messages})


def request(call: Call) -> Request:
    return Request(call.id, None, call.name, f"tool:{call.name}", call.arguments, [])


def tool_calls(event: str) -> list[Call]:
    """The tool calls of an assistant message."""
    try:
        message = json.loads(event)
    except ValueError:
        raise Err(AdapterError_Malformed("not JSON"))
    if not isinstance(message, dict) or message.get("role") != "assistant":
        raise Err(AdapterError_UnknownMessage("not a message of an assistant"))
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Err(AdapterError_Malformed("`tool_calls` is not a list"))
    return [tool_call(call) for call in calls]


def tool_call(call: Any) -> Call:
    match call:
        case {"id": str(id), "function": {"name": str(name), "arguments": str(arguments)}}:
            return Call(id, name, arguments)
        case _:
            raise Err(AdapterError_Malformed("a tool call lacks its id, name or arguments"))
