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

# What type checkers take for true. Both need libraries that take longer to load than
# all else here, and are loaded when they are asked for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._guarded import guarded
    from ._hosts import Answer

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


def __getattr__(name: str) -> object:
    if name == "guarded":
        from ._guarded import guarded as loaded
    elif name == "Answer":
        from ._hosts import Answer as loaded  # type: ignore[assignment]
    else:
        raise AttributeError(f"module 'vak' has no attribute {name!r}")
    globals()[name] = loaded
    return loaded


def __dir__() -> list[str]:
    return __all__
