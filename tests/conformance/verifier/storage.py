"""The ways to store a log, each read into the same form."""

import sqlite3
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from .note import Checkpoint
from .reader import Reader, check

Subtrees = dict[tuple[int, int], bytes]


class Trailer(NamedTuple):
    size: int
    root: bytes
    signature: bytes


@dataclass
class Stored:
    """What a storage holds; tiles have the leaves too, and no place for what stands beside the entries."""

    checkpoint: Checkpoint
    entries: list[bytes] = field(default_factory=list)
    are_tiles: bool = False
    subtrees: Subtrees = field(default_factory=dict)
    trailers: list[Trailer] = field(default_factory=list)
    signatures: dict[int, bytes] = field(default_factory=dict)
    payloads: dict[bytes, bytes] = field(default_factory=dict)


def read(path: Path) -> Stored:
    if path.is_file():
        return read_sqlite(path)
    return read_segments(path) if (path / "head").exists() else read_tiles(path)


TABLES = {
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), checkpoint TEXT NOT NULL) STRICT",
    "CREATE TABLE node (level INTEGER, number INTEGER, hash BLOB NOT NULL,"
    " PRIMARY KEY (level, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE payload (commitment BLOB PRIMARY KEY, salt BLOB NOT NULL, bytes BLOB NOT NULL) STRICT",
    "CREATE TABLE signature (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
}


def read_sqlite(path: Path) -> Stored:
    # SQLite would make a write-ahead log where there is none, if only to read.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    rows = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True).execute
    check(rows("PRAGMA application_id").fetchone() == (0x76616B41,), "the file has another application id")
    check({sql for (sql,) in rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")} == TABLES, "other tables")
    heads = rows("SELECT checkpoint FROM head").fetchall()
    check(len(heads) == 1, "there is no checkpoint")
    stored = Stored(Checkpoint(heads[0][0].encode()))
    for seq, entry in rows("SELECT seq, bytes FROM entry ORDER BY seq"):
        check(seq == len(stored.entries), f"entry {len(stored.entries)} is missing")
        stored.entries.append(entry)
    stored.subtrees = {(level, number): node for level, number, node in rows("SELECT level, number, hash FROM node")}
    stored.signatures = dict(rows("SELECT seq, bytes FROM signature"))
    for commitment, salt, contents in rows("SELECT commitment, salt, bytes FROM payload"):
        check(len(salt) == 32, "a salt has not 32 bytes")
        stored.payloads[commitment] = salt + contents
    return stored


CRC_TABLE = [reduce(lambda crc, _: crc >> 1 ^ 0x82F63B78 * (crc & 1), range(8), byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    return reduce(lambda crc, byte: crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255], data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def check_crc(it: Reader, start: int) -> None:
    check(crc32c(it.data[start : it.at]) == it.number(4), f"the checksum of the bytes from {start} on is another")


def read_segments(folder: Path) -> Stored:
    head = Reader((folder / "head").read_bytes())
    check(len(head.data) == 2_048, "the head has not 2,048 bytes")
    closed, note = head.bool(), head.take(head.number(2))
    check(not any(head.take(2_044 - head.at)), "the head's note is not followed by zeros")
    check_crc(head, 0)
    stored = Stored(Checkpoint(note))
    size, marks = stored.checkpoint.size, bytearray()

    def complete() -> bool:
        """Whether what follows is no part of the log."""
        return not closed and (stored.trailers[-1].size if stored.trailers else 0) == size

    for path in sorted(folder.glob("[0-9]" * 20 + ".log")):
        if complete():
            break
        first = len(stored.entries)
        check(path.name == f"{first:020}.log", f"`{path.name}` does not begin with entry {first}")
        it = Reader(path.read_bytes())
        check(it.take(24) == b"vak/audit/log\0\0\x01" + first.to_bytes(8, "big"), f"`{path.name}` is no segment")
        check_crc(it, 0)
        while it.left() and not complete():
            if it.data[it.at] == 1 and len(stored.entries) % 256 == 0:
                marks += first.to_bytes(8, "big") + it.at.to_bytes(8, "big")
            record(it, stored)
        check(len(stored.entries) > first, f"`{path.name}` has no entries")
    check((stored.trailers[-1].size if stored.trailers else 0) == size, "the last trailer is of another size")
    stored_marks = (folder / "marks").read_bytes()
    check(stored_marks == marks or not closed and stored_marks.startswith(marks), "the marks are those of another log")
    for level in range(1, 6):
        nodes = hashes((folder / f"nodes.{level}").read_bytes())
        stored.subtrees |= {(level, n): node for n, node in enumerate(nodes) if closed or n < size >> 8 * level}
    for path in (folder / "payloads").iterdir():
        if path.suffix == ".new" and not closed:
            continue
        stored.payloads[bytes.fromhex(path.name)] = path.read_bytes()
    return stored


def record(it: Reader, stored: Stored) -> None:
    start, kind = it.at, it.tag(3)
    if kind == 1:
        stored.entries.append(it.take(it.number(2)))
    elif kind == 2:
        seq = len(stored.entries) - 1
        check(seq not in stored.signatures, f"entry {seq} has two signatures")
        stored.signatures[seq] = it.take(64)
    else:
        stored.trailers.append(Trailer(it.u64(), it.digest(), it.take(64)))
        check(stored.trailers[-1].size == len(stored.entries), "a trailer has another size")
    check_crc(it, start)


def hashes(data: bytes) -> list[bytes]:
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def read_tiles(folder: Path) -> Stored:
    stored = Stored(Checkpoint((folder / "checkpoint").read_bytes()), are_tiles=True)
    size = stored.checkpoint.size
    for number in range(-(-size // 256)):
        it = Reader(tile(folder / "tile/entries", number, size))
        while it.left():
            stored.entries.append(it.take(it.number(2)))
    for level in range(8):
        width = size >> 8 * level
        for number in range(-(-width // 256)):
            nodes = hashes(tile(folder / f"tile/{level}", number, width))
            check(len(nodes) == min(256, width - 256 * number), f"a tile of level {level} is of another width")
            stored.subtrees |= {(level, 256 * number + n): node for n, node in enumerate(nodes)}
    return stored


def tile(folder: Path, number: int, width: int) -> bytes:
    """The tile of this number, of which the last is partial where the level is not a multiple of 256 wide."""
    digits = f"{number:03}".zfill(-(-len(f"{number:03}") // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    rest = width - 256 * number
    return (folder / (path if rest >= 256 else f"{path}.p/{rest}")).read_bytes()
