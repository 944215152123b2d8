"""What an adapter answers."""

from dataclasses import dataclass

@dataclass
class Info:
    """Which framework an adapter understands, such as `langchain`, and the
    versions of it that were tested, such as `1.5`."""

    framework: str
    versions: list[str]

@dataclass
class Request:
    """An action as the framework's message names it; `arguments` are JSON,
    `labels` say where they come from. Agent, session, id and time come from the
    surface."""

    operation: str
    resource: str
    arguments: str
    labels: list[str]

@dataclass
class Intake_Actions:
    """The message asks for these actions, in this order."""

    value: list[Request]

@dataclass
class Intake_Pass:
    """The message asks for nothing that needs a decision."""

Intake = Intake_Actions | Intake_Pass

@dataclass
class AdapterError_UnknownMessage:
    """Not a message of this framework."""

    value: str

@dataclass
class AdapterError_Malformed:
    """A message of this framework, with a part missing or wrong."""

    value: str

AdapterError = AdapterError_UnknownMessage | AdapterError_Malformed
"""Why a message was not understood: `raise Err(AdapterError_Malformed("…"))`.
The host denies it."""
