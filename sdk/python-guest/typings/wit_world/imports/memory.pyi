"""What a skill remembers for the agent on whose behalf it is called: values by
key, in scopes. Needs `import vak:host/memory@0.1.0;` in `wit/world.wit` and the
scopes under `memory` in the grants of `vak-component.toml`, such as
`memory.notes = "write"`. What a call changes becomes visible when it has
succeeded, all at once."""

from enum import Enum

class MemoryError(Enum):
    """Why something was refused. Raised as `componentize_py_types.Err(MemoryError)`."""

    NOT_GRANTED = 0
    READ_ONLY = 1
    INVALID_KEY = 2
    VALUE_TOO_LONG = 3
    FULL = 4
    HAS_SECRET = 5

def get(scope: str, key: str) -> bytes | None:
    """The value of `key`, which has 1 to 256 bytes."""

def set(scope: str, key: str, value: bytes) -> None:
    """Gives `key` a value of at most 65,536 bytes."""

def remove(scope: str, key: str) -> None:
    """Takes `key` and its value away."""

def keys(scope: str, prefix: str, after: str | None) -> list[str]:
    """The first 256 keys that begin with `prefix` and come after `after`."""
