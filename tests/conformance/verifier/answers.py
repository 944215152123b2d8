"""What persons answered, and what was decided upon it."""

from .entry import Commitment, Entry
from .reader import check, found

ESCALATE, DENY = 3, 4


def verify_answers(payloads: dict[bytes, bytes], entries: list[Entry]) -> None:
    answered: set[int] = set()
    used: set[int] = set()
    for entry in entries:
        if answer := entry.answer:
            decision = entries[answer.decision]
            check(answer.decision not in answered, f"entry {entry.seq} is a second answer")
            check(decision.leaf == answer.leaf, f"entry {entry.seq} answers another decision")
            asked = found(decision.asked, f"entry {entry.seq} answers no decision")
            escalated = decision.verdict == ESCALATE and asked.names[:3] == answer.names
            check(escalated, f"entry {entry.seq} answers what was not escalated")
            answered.add(answer.decision)
        if entry.counts_on is not None:
            answer = found(entries[entry.counts_on].answer, f"entry {entry.seq} counts on what is no answer")
            check(answer.until is not None and entry.time < answer.until, f"entry {entry.seq} has no yes")
            check(entry.counts_on not in used, f"entry {entry.seq} counts on an answer again")
            check(same(payloads, entries[answer.decision], entry), f"entry {entry.seq} is about another action")
            if entry.verdict != DENY:
                used.add(entry.counts_on)


def same(payloads: dict[bytes, bytes], before: Entry, now: Entry) -> bool:
    """Of what is not there only the length is known."""
    if before.asked is None or now.asked is None or before.asked.names != now.asked.names:
        return False
    for one, other in zip(before.asked.parts, now.asked.parts):
        left, right = value(payloads, one), value(payloads, other)
        if left is None or right is None:
            if size(one) != size(other):
                return False
        elif left != right:
            return False
    return True


def value(payloads: dict[bytes, bytes], part: bytes | Commitment) -> bytes | None:
    if isinstance(part, bytes):
        return part
    payload = payloads.get(part.digest)
    return None if payload is None else payload[32:]


def size(part: bytes | Commitment) -> int:
    return len(part) if isinstance(part, bytes) else part.size
