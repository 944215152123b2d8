"""What a skill answers."""

from dataclasses import dataclass

@dataclass
class Tool:
    """What an agent is told about the tool: what it does and when to use it, and
    the JSON Schemas of its input, an object, and of its output, if any."""

    description: str
    input_schema: str
    output_schema: str | None

@dataclass
class SkillError_InvalidInput:
    """The input is not what the schema asks for."""

    value: str

@dataclass
class SkillError_Failed:
    """The input is fine and the work failed."""

    value: str

SkillError = SkillError_InvalidInput | SkillError_Failed
"""Why a call gave no result: `raise Err(SkillError_Failed("…"))`."""
