"""Values taken from bytes, each in the one way it may be written."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# They would let a name look like another.
HIDDEN = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class NotVerified(Exception):
    """What is wrong, for people."""


def check(holds: bool, wrong: str) -> None:
    if not holds:
        raise NotVerified(wrong)


def found(value: T | None, wrong: str) -> T:
    if value is None:
        raise NotVerified(wrong)
    return value


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def decode64(value: str) -> bytes:
    decoded = base64.b64decode(value, validate=True)
    check(base64.b64encode(decoded).decode() == value, f"`{value}` is not the one way to write it in base64")
    return decoded


def in_text(value: str) -> bytes:
    return len(value.encode()).to_bytes(4, "big") + value.encode()


def has_control(value: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in value)


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def left(self) -> bool:
        return self.at < len(self.data)

    def take(self, count: int) -> bytes:
        check(self.at + count <= len(self.data), "bytes are cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def u64(self) -> int:
        return self.number(8)

    def digest(self) -> bytes:
        return self.take(32)

    def tag(self, last: int, first: int = 1) -> int:
        value = self.number(1)
        check(first <= value <= last, f"tag {value} has no meaning")
        return value

    def bool(self) -> bool:
        return self.tag(1, first=0) == 1

    def text(self) -> str:
        return self.take(self.number(4)).decode()

    def optional(self, read: Callable[[], T]) -> T | None:
        return read() if self.bool() else None

    def many(self, read: Callable[[], T]) -> list[T]:
        return [read() for _ in range(self.number(4))]

    def name(self, bytes_max: int) -> str:
        name = self.text()
        check(1 <= len(name.encode()) <= bytes_max, f"the name `{name}` is empty or too long")
        check(not HIDDEN.search(name) and not has_control(name), f"the name {name!r} has an invisible character")
        return name

    def identifier(self) -> str:
        name = self.text()
        check(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is not None, f"{name!r} names no component and no limit")
        return name
