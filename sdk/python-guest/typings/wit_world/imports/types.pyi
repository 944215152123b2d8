"""What an agent asks for. A WIT variant is a class for each case."""

from dataclasses import dataclass

@dataclass
class AttributeValue_Boolean:
    value: bool

@dataclass
class AttributeValue_Integer:
    value: int

@dataclass
class AttributeValue_Text:
    value: str

@dataclass
class AttributeValue_Texts:
    value: list[str]

AttributeValue = AttributeValue_Boolean | AttributeValue_Integer | AttributeValue_Text | AttributeValue_Texts

@dataclass
class Attribute:
    """A named fact that the surface, not the agent, vouches for."""

    name: str
    value: AttributeValue

@dataclass
class Action:
    """One thing an agent wants to do. Everything a component may base its
    answer on is in here: there is no clock and no environment beside it.

    `id` names the action; a retry carries the same. `operation` is what is to
    be done, such as `files/write_file`, and `resource` what it is to be done
    to. `arguments` are compact JSON with sorted keys: read them with
    `json.loads`. `attributes` are sorted by name. `labels` say where the
    arguments come from, such as `untrusted-input`. `time_ns` is when it was
    asked: nanoseconds since the Unix epoch."""

    id: str
    session: str
    agent: str
    operation: str
    resource: str
    arguments: str
    attributes: list[Attribute]
    labels: list[str]
    time_ns: int

@dataclass
class JudgeError_Missing:
    """A fact the component needs is not there."""

    value: str

@dataclass
class JudgeError_Mistyped:
    """A fact has another type than the component needs."""

    value: str

@dataclass
class JudgeError_Other:
    """Anything else."""

    value: str

JudgeError = JudgeError_Missing | JudgeError_Mistyped | JudgeError_Other
"""Why a component could not judge: `raise Err(JudgeError_Missing("role"))`. The
host takes it for the strictest answer."""
