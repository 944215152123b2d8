"""What a policy answers."""

from dataclasses import dataclass
from enum import Enum

class Effect(Enum):
    """What a policy says about an action. A permit counts only where the
    operator granted this policy the right to permit; one forbid outweighs every
    permit."""

    ABSTAIN = 0
    PERMIT = 1
    ESCALATE = 2
    FORBID = 3

@dataclass
class Finding:
    """A policy's answer. `rule` is the one that decided, as named by
    `describe`; `reason` is for a person and cut at 1,024 bytes."""

    effect: Effect
    rule: str | None
    reason: str

@dataclass
class Rule:
    """One rule: its id, unique within the policy, what it says when it applies,
    and what it is for, in a sentence."""

    id: str
    effect: Effect
    summary: str

@dataclass
class Description:
    """What a policy contains."""

    summary: str
    rules: list[Rule]
