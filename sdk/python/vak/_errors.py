"""What is raised instead of an answer. None of it is ever an allow."""

from __future__ import annotations

# What type checkers take for true; importing `typing` takes longer than all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Receipt, Verdict

__all__ = [
    "ApprovalError",
    "ArgumentError",
    "Backtracked",
    "ConfigError",
    "Denied",
    "Escalated",
    "Forked",
    "MessageError",
    "NoSuchSkill",
    "NotOpen",
    "Problem",
    "Refused",
    "SkillFailed",
    "Stopped",
    "Unreachable",
    "VakError",
]


class VakError(Exception):
    """All that this package raises by itself."""

    __module__ = "vak"


class Refused(VakError):
    """The verdict is no allow: the action must not happen."""

    __module__ = "vak"

    def __init__(self, message: str, *, verdict: Verdict, action: str, receipt: Receipt | None) -> None:
        super().__init__(message)
        #: The verdict, with everybody who had a say.
        self.verdict = verdict
        #: The action's id in the log.
        self.action = action
        #: Where the log has the verdict; `None` only if the log has stopped.
        self.receipt = receipt


class Denied(Refused):
    """Somebody forbids it, nobody permits it, a limit has no room, or something failed."""

    __module__ = "vak"

    @property
    def retry_after_ms(self) -> int | None:
        """Milliseconds after which a limit has room again, if that is why."""
        return self.verdict.retry_after_ms


class Escalated(Refused):
    """A person has to decide. See `approve`, `approval` and `decide_approved`."""

    __module__ = "vak"

    @property
    def seq(self) -> int:
        """Its name for whoever answers: the place of the decision in the log."""
        # A verdict without a receipt is a deny.
        assert self.receipt is not None
        return self.receipt.seq


class Backtracked(Refused):
    """The agent should go back and try another way."""

    __module__ = "vak"


class ArgumentError(VakError, ValueError):
    """What was given can't be part of an action. Nothing was decided, and nothing may happen."""

    __module__ = "vak"


class ConfigError(VakError):
    """The configuration, or something that it names, is missing, wrong or not trusted."""

    __module__ = "vak"


class Stopped(VakError):
    """The host is closed, or its log takes nothing more."""

    __module__ = "vak"


class Forked(VakError):
    """It was opened before `os.fork()`, by another process. Open another one after it."""

    __module__ = "vak"


class NotOpen(VakError):
    """The action waits for no outcome: it was not allowed, or has one already."""

    __module__ = "vak"


class NoSuchSkill(VakError):
    """The host has no such skill. Nothing was decided."""

    __module__ = "vak"


class MessageError(VakError):
    """The adapter has no answer to a framework's message. Nothing of it may happen."""

    __module__ = "vak"


class SkillFailed(VakError):
    """The skill was allowed to run, and gave no result."""

    __module__ = "vak"


class ApprovalError(VakError):
    """A person's answer is not there, not so, or not any more. Nothing was decided."""

    __module__ = "vak"


class Unreachable(VakError, ConnectionError):
    """The server gave no answer that could be understood. Whether it decided is not known, and nothing may happen."""

    __module__ = "vak"


class Problem(VakError):
    """The server has no answer, and says why (RFC 9457)."""

    __module__ = "vak"

    def __init__(self, message: str, *, kind: str, status: int, detail: str) -> None:
        super().__init__(message)
        #: What went wrong: the end of its URN, such as `unauthorized`.
        self.kind = kind
        #: The HTTP status.
        self.status = status
        #: What of the request is meant, and what to do.
        self.detail = detail
