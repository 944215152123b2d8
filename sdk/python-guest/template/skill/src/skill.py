import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.skill import SkillError_InvalidInput, Tool

INPUT = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "The text to count in."}},
    "required": ["text"],
    "additionalProperties": False,
}

COUNT = {"type": "integer", "minimum": 0}

OUTPUT = {
    "type": "object",
    "properties": {"characters": COUNT, "words": COUNT, "lines": COUNT},
    "required": ["characters", "words", "lines"],
}


# Runs without clock, randomness, files and standard output: using one ends the
# component. `random` gives the same at every call.
class Skill(exports.Skill):
    def describe(self) -> Tool:
        description = "Counts the characters, words and lines of a text."
        return Tool(description, json.dumps(INPUT), json.dumps(OUTPUT))

    def invoke(self, input: str) -> str:
        match json.loads(input):
            case {"text": str(text)}:
                counts = {"characters": len(text), "words": len(text.split()), "lines": len(text.splitlines())}
                return json.dumps(counts)
            case _:
                # `Err` carries the error of the WIT `result`. Any other
                # exception ends the component, and the agent is not told why.
                raise Err(SkillError_InvalidInput("`text` is not a string"))
