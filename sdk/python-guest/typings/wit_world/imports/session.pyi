"""What the session of the action that is judged did before, for policies: the last
24 hours at the most. Needs `import vak:host/session@0.1.0;` in `wit/world.wit` and
`session=True` in what `describe` gives."""

from dataclasses import dataclass
from enum import Enum

class SessionError(Enum):
    """Why there is no answer: the host does not remember all of that time, or this
    is not a pattern of operations. Raised as
    `componentize_py_types.Err(SessionError)`."""

    FORGOTTEN = 0
    BAD_PATTERN = 1

@dataclass
class Step:
    """An earlier action, and whether it was allowed. `labels` say where its
    arguments came from; `time_ns` is in nanoseconds since the Unix epoch."""

    id: str
    operation: str
    resource: str
    labels: list[str]
    allowed: bool
    time_ns: int

@dataclass
class Tally:
    """How many actions were allowed, and how many were not."""

    allowed: int
    refused: int

@dataclass
class Origin:
    """A label, and the first action that had it."""

    label: str
    id: str
    operation: str

def recent(within_ms: int) -> list[Step]:
    """The actions of the last `within_ms` milliseconds, newest first, 64 at the
    most."""

def count(operations: str, within_ms: int) -> Tally:
    """How many actions of the last `within_ms` milliseconds there were of these
    operations: one (`files/read`), those that begin with what is before a `*` at
    the end (`files/*`), or all (`*`)."""

def labels(within_ms: int) -> list[Origin]:
    """The labels that actions of the last `within_ms` milliseconds had."""
