"""Verifier keys, and checkpoints that are signed by them."""

import re
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .reader import check, decode64, found, has_control, sha256

ED25519 = b"\x01"

# Keys for which anybody can make signatures: the points of small order, by their y.
P = 2**255 - 19
Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7
WEAK = {0, 1, P - 1, Y_OF_ORDER_8, P - Y_OF_ORDER_8}


def is_origin(name: str) -> bool:
    free = "+" not in name and not has_control(name) and not any(map(str.isspace, name))
    return free and 1 <= len(name.encode()) <= 255


class Key(NamedTuple):
    vkey: str
    name: str
    id: bytes
    public: bytes

    @staticmethod
    def parse(vkey: str) -> "Key":
        match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", vkey)
        name, id_hex, key64 = found(match, f"{vkey!r} is no verifier key").groups()
        check(is_origin(name), f"{name!r} names no key")
        key = decode64(key64)
        y = int.from_bytes(key[1:], "little") % 2**255 % P
        check(len(key) == 33 and key[:1] == ED25519 and y not in WEAK, f"`{vkey}` is no sound Ed25519 key")
        check(sha256(name.encode(), b"\n", key)[:4].hex() == id_hex, f"`{vkey}` has the id of another key")
        return Key(vkey, name, bytes.fromhex(id_hex), key[1:])

    def signed(self, signature: bytes, *message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, b"".join(message))
        except InvalidSignature:
            return False
        return True


class Checkpoint:
    def __init__(self, note: bytes) -> None:
        body, _, signatures = note.decode().rpartition("\n\n")
        check(not re.search(rb"[\x00-\x09\x0b-\x1f]", note), "the note has control characters")
        match = found(re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,19})\n([^\n]+)", body), "the note is no checkpoint")
        self.body = f"{body}\n".encode()
        self.origin, self.size, self.root = match[1], int(match[2]), decode64(match[3])
        lines = re.findall(r"— ([^\s+]+) (\S+)\n", signatures)
        check("".join(f"— {name} {signature}\n" for name, signature in lines) == signatures, "a signature has no form")
        check(len(lines) <= 64, "the note has more than 64 signatures")
        self.signatures = [(name, decode64(signature)) for name, signature in lines]
        check(all(len(signature) >= 4 for _, signature in self.signatures), "a signature has no whole key id")

    def signed_by(self, key: Key) -> bool:
        own = [signature[4:] for name, signature in self.signatures if (name, signature[:4]) == (key.name, key.id)]
        return bool(own) and all(key.signed(signature, self.body) for signature in own)
