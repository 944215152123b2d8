"""What an adapter answers."""

from dataclasses import dataclass
from enum import Enum

from ..imports import verdicts

@dataclass
class Info:
    """Which framework an adapter understands, such as `langchain`, the versions
    of it that were tested, such as `1.5`, and whether its answers can give a call
    other arguments."""

    framework: str
    versions: list[str]
    rewrites: bool

@dataclass
class Request:
    """An action as the framework's message names it; `call` and `session` are the
    framework's names of the call and its conversation, `arguments` are JSON,
    `labels` say where they come from. Who acts and when comes from the surface."""

    call: str | None
    session: str | None
    operation: str
    resource: str
    arguments: str
    labels: list[str]

@dataclass
class Intake_Actions:
    """The message asks for these actions, in this order."""

    value: list[Request]

class Ending(Enum):
    """How a call ended."""

    SUCCEEDED = 0
    FAILED = 1
    UNKNOWN = 2

@dataclass
class Ended:
    """How an earlier call ended: `call` and `session` as its request named them,
    `output` as JSON, `detail` for a person."""

    call: str
    session: str | None
    ending: Ending
    output: str | None
    detail: str

@dataclass
class Intake_Outcomes:
    """The message says how these calls ended."""

    value: list[Ended]

@dataclass
class Answer:
    """The host's answer to one action: the verdict, the arguments to carry an
    allowed one out with, as JSON, where they are others than were asked, and where
    the log has the decision."""

    verdict: verdicts.Verdict
    arguments: str | None
    seq: int | None

@dataclass
class Intake_Pass:
    """The message asks for nothing that needs a decision."""

Intake = Intake_Actions | Intake_Outcomes | Intake_Pass

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
