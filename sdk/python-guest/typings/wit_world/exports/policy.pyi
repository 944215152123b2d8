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
class Redaction:
    """The argument, a JSON pointer, is replaced."""

    argument: str
    replacement: str

@dataclass
class Cap:
    """The argument, a JSON pointer to a number, is lowered."""

    argument: str
    at_most: int

@dataclass
class Header:
    """The header is added to the request that carries the action out."""

    name: str
    value: str

@dataclass
class Obligation_Redact:
    value: Redaction

@dataclass
class Obligation_Cap:
    value: Cap

@dataclass
class Obligation_Header:
    value: Header

@dataclass
class Obligation_Approval:
    """A person has to agree; the text says who, or why."""

    value: str

# What has to be done with the action if it is allowed. A host that cannot do it
# denies; what an obligation changes is judged again, by all policies.
Obligation = Obligation_Redact | Obligation_Cap | Obligation_Header | Obligation_Approval

@dataclass
class Finding:
    """A policy's answer. `rule` is the one that decided, as named by
    `describe`; `reason` is for a person and cut at 1,024 bytes; `obligations`
    are 16 at most and count whatever the effect."""

    effect: Effect
    rule: str | None
    reason: str
    obligations: list[Obligation]

@dataclass
class Rule:
    """One rule: its id, unique within the policy, what it says when it applies,
    and what it is for, in a sentence."""

    id: str
    effect: Effect
    summary: str

@dataclass
class Description:
    """What a policy contains. `session` says whether it asks what the session did
    before, through `wit_world.imports.session`; `warnings` are what somebody
    should look at, such as a rule that never applies: a sentence each."""

    summary: str
    rules: list[Rule]
    session: bool
    warnings: list[str]
