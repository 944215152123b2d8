"""Verifies an audit log, or the proof of one entry, by host/audit/FORMAT.md. It needs memory for all of the log.

    verify_log.py VERIFIER_KEY (FILE | FOLDER) [--origin ORIGIN] [--kept CHECKPOINT]
    verify_log.py VERIFIER_KEY PROOF.tlog-proof [--origin ORIGIN]
"""

import argparse
import re
import sqlite3
import sys
from pathlib import Path

from verifier.answers import verify_answers
from verifier.entry import Entry
from verifier.note import Checkpoint, Key
from verifier.reader import NotVerified, check, decode64, found, in_text, sha256
from verifier.storage import Stored, read
from verifier.tree import Tree, root_of_path


def verify(log: Stored, origin: str, trusted: Key, kept: Checkpoint | None) -> tuple[int, bytes]:
    check(log.checkpoint.origin == origin, f"it is the log `{log.checkpoint.origin}`")
    entries: list[Entry] = []
    tree = Tree()
    roots = {0: tree.root()}
    wanted = {trailer.size for trailer in log.trailers} | ({kept.size} if kept else set())
    for entry in map(Entry, log.entries):
        check(entry.seq == tree.size and entry.origin == origin, f"entry {tree.size} is another's")
        check(entry.prev == (entries[-1].leaf if entries else bytes(32)), f"entry {tree.size} does not follow")
        entries.append(entry)
        tree.add(entry.leaf)
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    check((tree.size, tree.root()) == (log.checkpoint.size, log.checkpoint.root), "the checkpoint is of another log")
    subtrees = {(level, n): node for (level, n), node in tree.subtrees.items() if level > 0 or log.are_tiles}
    check(log.subtrees == subtrees, "stored subtrees are not those of the entries")

    keys = keys_of(entries, trusted)
    check(log.checkpoint.signed_by(keys[-1]), "the checkpoint is not signed by the log's key")
    if kept:
        check(any(map(kept.signed_by, set(keys))), "the checkpoint kept from earlier is not signed by a key of the log")
        check(kept.origin == origin, "the checkpoint kept from earlier is of another log")
        check(roots.get(kept.size) == kept.root, "the log does not continue the checkpoint kept from earlier")
    verify_signatures(log, entries, keys, roots)
    verify_answers({} if log.are_tiles else log.payloads, entries)
    if not log.are_tiles:
        verify_payloads(log.payloads, entries)
    return tree.size, tree.root()


def keys_of(entries: list[Entry], trusted: Key) -> list[Key]:
    """The key before the first entry and, for each entry, the one of its time."""
    rotations = [entry.rotation for entry in entries if entry.rotation]
    present = rotations[0].old if rotations else trusted
    keys = [present]
    for entry in entries:
        if entry.rotation:
            check(entry.rotation.is_signed(), "a key rotation is not signed by both keys")
            check(entry.rotation.old == present, "a key rotation is not from the present key")
            present = entry.rotation.new
        keys.append(present)
    check(trusted in keys, "the log has other keys")
    return keys


def verify_signatures(log: Stored, entries: list[Entry], keys: list[Key], roots: dict[int, bytes]) -> None:
    trailers = {trailer.size: trailer for trailer in log.trailers}
    signatures = dict(log.signatures)
    for entry, key in zip(entries, keys[1:]):
        if entry.signed and not log.are_tiles:
            holds = key.signed(signatures.pop(entry.seq, b""), b"vak/audit/entry-signature\x01", entry.leaf)
            check(holds, f"entry {entry.seq} is not signed")
        if trailer := trailers.get(entry.seq + 1):
            place = in_text(entry.origin) + trailer.size.to_bytes(8, "big") + trailer.root
            holds = key.signed(trailer.signature, b"vak/audit/trailer\x01", place)
            check(holds and trailer.root == roots[trailer.size], f"the trailer after entry {entry.seq} is another log's")
    check(not signatures, "there is a signature of an entry that has none")


def verify_payloads(payloads: dict[bytes, bytes], entries: list[Entry]) -> None:
    erased = {entry.erased: entry.seq for entry in entries if entry.erased}
    others = dict(payloads)
    for entry in entries:
        for digest, size in entry.commitments:
            payload = others.pop(digest, None)
            if payload is None:
                check(erased.get(digest, -1) > entry.seq, f"a payload of entry {entry.seq} is lost")
                continue
            fits = sha256(b"vak/audit/payload\x01", payload) == digest and len(payload) == 32 + size
            check(fits, f"a payload of entry {entry.seq} is another")
            check(digest not in erased, f"a payload of entry {entry.seq} is there, and an entry says it was erased")
    check(not others, "there is a payload of no entry")


def verify_proof(text: bytes, origin: str, trusted: Key) -> tuple[int, bytes]:
    form = rb"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex (0|[1-9][0-9]{0,19})\n((?:\S+\n)*)\n(.*)"
    match = found(re.fullmatch(form, text, re.DOTALL), "it is no proof of an entry")
    entry, index = Entry(decode64(match[1].decode())), int(match[2])
    path = [decode64(line) for line in match[3].decode().split()]
    checkpoint = Checkpoint(match[4])
    check(all(len(node) == 32 for node in path), "a hash has not 32 bytes")
    check(checkpoint.signed_by(trusted), "the checkpoint is not signed by the log's key")
    check(entry.seq == index and entry.origin == checkpoint.origin == origin, "the entry is another's")
    check(root_of_path(entry.leaf, index, checkpoint.size, path) == checkpoint.root, "the entry is not in the log")
    return checkpoint.size, checkpoint.root


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("key", help="a verifier key of the log")
    arguments.add_argument("log", type=Path, help="SQLite file, folder of segments, folder of tiles, or a proof")
    arguments.add_argument("--origin", help="the log's name, if it is not that of the key")
    arguments.add_argument("--kept", type=Path, help="a checkpoint kept from earlier")
    given = arguments.parse_args()
    try:
        key = Key.parse(given.key)
        origin = given.origin or key.name
        if given.log.suffix == ".tlog-proof":
            size, root = verify_proof(given.log.read_bytes(), origin, key)
        else:
            kept = Checkpoint(given.kept.read_bytes()) if given.kept else None
            size, root = verify(read(given.log), origin, key, kept)
    except (NotVerified, OSError, ValueError, sqlite3.Error) as wrong:
        print(f"NOT VERIFIED: {wrong}")
        return 1
    print(f"verified {size} entries, root {root.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
