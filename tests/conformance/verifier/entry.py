"""What an entry holds, as far as a verifier must know it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from .note import Key, is_origin
from .reader import Reader, check, in_text, sha256


class Commitment(NamedTuple):
    digest: bytes
    size: int


class Rotation(NamedTuple):
    old: Key
    new: Key
    statement: bytes
    by_old: bytes
    by_new: bytes

    def is_signed(self) -> bool:
        return self.old.signed(self.by_old, self.statement) and self.new.signed(self.by_new, self.statement)


class Asked(NamedTuple):
    """What of a decision an answer is to, and a later decision has to repeat."""

    names: tuple[str, ...]
    parts: list[bytes | Commitment]


class Answer(NamedTuple):
    names: tuple[str, ...]
    decision: int
    leaf: bytes
    until: int | None


class Entry:
    """Reads all of an entry, and keeps what other entries, keys and payloads are compared with."""

    def __init__(self, data: bytes) -> None:
        check(len(data) <= 65_535, "an entry is too long")
        it = Reader(data)
        check(it.take(15) == b"vak/audit/entry" and it.number(1) == 1, "an entry has another domain or version")
        self.leaf = sha256(b"\x00", data)
        self.origin = origin(it)
        self.seq, self.prev, self.signed, self.time = it.u64(), it.digest(), it.bool(), it.u64()
        self.commitments: list[Commitment] = []
        self.rotation: Rotation | None = None
        self.erased: bytes | None = None
        self.asked: Asked | None = None
        self.verdict = 0
        self.counts_on: int | None = None
        self.answer: Answer | None = None
        kinds = [self.decision, self.outcome, self.key_rotation, self.configuration, self.drop, self.shadow]
        kinds += [self.approval, self.acceptance]
        kinds[it.tag(len(kinds)) - 1](it)
        check(not it.left(), "bytes follow an entry")

    def decision(self, it: Reader) -> None:
        asked = (*names(it), it.name(256), it.name(2_048))
        self.asked = Asked(asked, [self.part(it, skip) for skip in (json, attributes, labels)])
        self.verdict = it.tag(4)
        it.many(lambda: reason(it))
        it.optional(it.u64)
        it.many(lambda: obligation(it))
        it.optional(lambda: (it.u64(), it.u64()))
        self.counts_on = it.optional(it.u64)
        check(self.counts_on is None or self.counts_on < self.seq, "a decision comes before the answer it counts on")
        it.bool()

    def part(self, it: Reader, skip: Callable[[Reader], None]) -> bytes | Commitment:
        if it.tag(2) == 2:
            self.commitments.append(Commitment(it.digest(), it.u64()))
            return self.commitments[-1]
        size = it.number(4)
        check(size <= 16_384, "a part is too long for an entry")
        value = it.take(size)
        skip(Reader(value))
        return value

    def outcome(self, it: Reader) -> None:
        names(it)
        check(it.u64() < self.seq, "an outcome comes before its decision")
        it.tag(3)
        it.optional(lambda: (it.digest(), it.u64()))
        it.text()
        it.u64()

    def key_rotation(self, it: Reader) -> None:
        old, new = it.text(), it.text()
        statement = b"vak/audit/key-rotation\x01" + in_text(self.origin) + self.seq.to_bytes(8, "big") + self.prev
        statement += self.time.to_bytes(8, "big") + in_text(old) + in_text(new)
        self.rotation = Rotation(Key.parse(old), Key.parse(new), statement, it.take(64), it.take(64))

    def configuration(self, it: Reader) -> None:
        it.digest()
        it.text()
        it.many(lambda: component(it))

    def drop(self, it: Reader) -> None:
        if it.tag(4) == 1:
            self.erased = it.digest()
        else:
            it.u64()
        it.text()

    def shadow(self, it: Reader) -> None:
        names(it)
        check(it.u64() < self.seq, "a finding comes before its decision")
        reason(it)
        it.many(lambda: obligation(it))

    def approval(self, it: Reader) -> None:
        of, decision, leaf = names(it), it.u64(), it.digest()
        check(decision < self.seq, "an answer comes before its decision")
        self.answer = Answer(of, decision, leaf, it.u64() if it.tag(2) == 1 else None)
        it.name(128)
        self.part(it, text)

    def acceptance(self, it: Reader) -> None:
        it.identifier()
        it.tag(2)
        it.text()
        it.optional(it.digest)
        it.digest()


def origin(it: Reader) -> str:
    value = it.text()
    check(is_origin(value), f"{value!r} names no log")
    return value


def names(it: Reader) -> tuple[str, ...]:
    return tuple(it.name(128) for _agent_session_action in range(3))


def text(it: Reader) -> None:
    it.take(len(it.data)).decode()


json = text


def attributes(it: Reader) -> None:
    last: bytes | None = None
    while it.left():
        key = it.text().encode()
        check(last is None or last < key, "attributes do not rise")
        last = key
        values: list[Callable[[], object]] = [it.bool, it.u64, it.text, lambda: it.many(it.text)]
        values[it.tag(len(values)) - 1]()


def labels(it: Reader) -> None:
    while it.left():
        it.name(128)


def reason(it: Reader) -> None:
    source = it.tag(3)
    if source == 2:
        it.identifier()
    elif source == 3:
        component(it)
    it.tag(5)
    it.optional(it.text)
    it.optional(lambda: it.tag(10))
    it.text()


def obligation(it: Reader) -> None:
    tag = it.tag(3)
    first = it.text()
    check(len(first.encode()) <= 1_024, "an obligation is too long")
    if tag == 3:
        check(re.fullmatch(r"[A-Za-z0-9-]{1,64}", first) is not None, "a header has no name")
        check(re.fullmatch(r"[ -~]{0,1024}", it.text()) is not None, "a header has no value")
        return
    check(first.startswith("/"), "an argument is no JSON pointer")
    if tag == 1:
        check(len(it.text().encode()) <= 1_024, "an obligation is too long")
    else:
        it.u64()


def component(it: Reader) -> None:
    it.identifier()
    it.digest()
    it.optional(it.digest)
    it.optional(it.digest)
