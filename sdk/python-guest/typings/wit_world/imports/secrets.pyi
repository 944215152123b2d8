"""Secrets that the operator keeps for a skill. Needs
`import vak:host/secrets@0.1.0;` in `wit/world.wit` and their names under
`secrets` in the grants of `vak-component.toml`. The host replaces them by
`[secret NAME]` in what the skill logs, prints and answers, where it finds them
as they are."""

from enum import Enum

class SecretError(Enum):
    """Why there is no secret."""

    NOT_GRANTED = 0

def get(name: str) -> str:
    """The secret `name`. Raises `componentize_py_types.Err(SecretError)`."""
