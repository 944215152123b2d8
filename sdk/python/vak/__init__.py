"""The Verifiable Agent Kernel: whether an agent's action may happen.

`Host` is the host in this process, `Client` one of another (`vak serve`).
`AsyncHost` and `AsyncClient` are the same for event loops. Nothing here is a yes
by default: an action may happen if `Decision.allowed` says so, and what can't be
decided raises.
"""

from ._errors import (
    ApprovalError,
    ArgumentError,
    Backtracked,
    ConfigError,
    Denied,
    Escalated,
    Forked,
    MessageError,
    NoSuchSkill,
    NotOpen,
    Problem,
    Refused,
    SkillFailed,
    Stopped,
    Unreachable,
    VakError,
)
from ._hosts import Answer
from ._native import (
    AsyncClient,
    AsyncDecision,
    AsyncHost,
    Awaitable,
    Client,
    Decision,
    Execution,
    Host,
    Ingested,
    Reason,
    Receipt,
    Standing,
    Verdict,
    Waiting,
)
from .guarded import guarded

__all__ = [
    "Answer",
    "ApprovalError",
    "ArgumentError",
    "AsyncClient",
    "AsyncDecision",
    "AsyncHost",
    "Awaitable",
    "Backtracked",
    "Client",
    "ConfigError",
    "Decision",
    "Denied",
    "Escalated",
    "Execution",
    "Forked",
    "Host",
    "Ingested",
    "MessageError",
    "NoSuchSkill",
    "NotOpen",
    "Problem",
    "Reason",
    "Receipt",
    "Refused",
    "SkillFailed",
    "Standing",
    "Stopped",
    "Unreachable",
    "VakError",
    "Verdict",
    "Waiting",
    "guarded",
]
