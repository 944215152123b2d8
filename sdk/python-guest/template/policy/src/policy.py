import json
import re
from collections.abc import Iterator
from typing import Any

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.policy import Description, Effect, Finding, Rule
from wit_world.imports.types import Action, JudgeError_Mistyped

SECRET_FILES = {".env", ".netrc", ".npmrc", "credentials", "id_ed25519", "id_rsa"}


# Runs without clock, randomness, files and standard output: using one ends the
# component, which counts as a forbid. `random` gives the same at every call.
class Policy(exports.Policy):
    def evaluate(self, action: Action) -> Finding:
        path = next(filter(names_secret, strings(read_arguments(action))), None)
        if path is None:
            return Finding(Effect.ABSTAIN, rule=None, reason="", obligations=[])
        return Finding(Effect.FORBID, rule="no-secrets", reason=f"`{path}` holds secrets", obligations=[])

    def describe(self) -> Description:
        rule = Rule("no-secrets", Effect.FORBID, "No argument names a file with secrets.")
        summary = "Keeps agents away from files that hold secrets."
        return Description(summary, [rule], session=False, warnings=[])


def read_arguments(action: Action) -> Any:
    try:
        return json.loads(action.arguments)
    except ValueError:
        # `Err` carries the error of the WIT `result`. Any other exception ends
        # the component, which counts the same but says nothing of why.
        raise Err(JudgeError_Mistyped("arguments"))


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def names_secret(path: str) -> bool:
    name = re.split(r"[/\\]", path.lower())[-1]
    return name in SECRET_FILES or name.startswith(".env.") or name.endswith(".pem")
