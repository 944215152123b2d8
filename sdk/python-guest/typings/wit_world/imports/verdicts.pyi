"""What the host answers."""

from dataclasses import dataclass
from enum import Enum

class Decision(Enum):
    """The host's answer, from loosest to strictest."""

    ALLOW = 0
    BACKTRACK = 1
    ESCALATE = 2
    DENY = 3

@dataclass
class Verdict:
    """The host's answer to one action. `rule` is the one that decided, where
    one did; `retry_after_ms` the milliseconds after which a rate limited action
    can succeed."""

    decision: Decision
    rule: str | None
    reason: str
    retry_after_ms: int | None
