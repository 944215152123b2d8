"""Makes what a log and its witnesses make: keys, a checkpoint with cosignatures, and the proof of an entry.

    make_proof.py FOLDER ORIGIN INDEX TIME < entries in hex, one a line

The log's private key is 32 bytes 01, those of the witnesses 02, 03 and 04; the witness 04 stays away."""

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOG, WITNESS = b"\x01", b"\x04"


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def encode64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Signer:
    def __init__(self, name: str, kind: bytes, seed: int) -> None:
        self.name, self.private = name, Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
        self.public = kind + self.private.public_key().public_bytes_raw()
        self.id = sha256(name.encode(), b"\n", self.public)[:4]

    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode64(self.public)}"

    def line(self, signature: bytes) -> str:
        return f"— {self.name} {encode64(self.id + signature)}\n"

    def sign(self, text: str) -> str:
        return self.line(self.private.sign(text.encode()))

    def cosign(self, text: str, time: int) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return self.line(time.to_bytes(8, "big") + signature)


def split(leaves: list[bytes]) -> int:
    """The largest power of two that is smaller than their number."""
    return 1 << (len(leaves) - 1).bit_length() - 1


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    at = split(leaves)
    return sha256(b"\x01", root(leaves[:at]), root(leaves[at:]))


def path(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    at = split(leaves)
    if index < at:
        return [*path(leaves[:at], index), root(leaves[at:])]
    return [*path(leaves[at:], index - at), root(leaves[:at])]


def main() -> None:
    folder, origin, index, time = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    entries = [bytes.fromhex(line) for line in sys.stdin]
    leaves = [sha256(b"\x00", entry) for entry in entries]
    log = Signer(origin, LOG, 1)
    witnesses = [Signer(f"witness.example/w{seed}", WITNESS, seed) for seed in (2, 3, 4)]
    text = f"{origin}\n{len(leaves)}\n{encode64(root(leaves))}\n"
    cosignatures = "".join(witness.cosign(text, time) for witness in witnesses[:2])
    note = f"{text}\n{log.sign(text)}{cosignatures}"
    hashes = "".join(encode64(node) + "\n" for node in path(leaves, index))
    members = "".join(f"witness w{seed} {witness.vkey()}\n" for seed, witness in zip((2, 3, 4), witnesses))
    (folder / "vkey").write_text(log.vkey())
    (folder / "witnesses").write_text(f"log {log.vkey()}\n{members}")
    (folder / "checkpoint").write_text(note)
    proof = f"c2sp.org/tlog-proof@v1\nextra {encode64(entries[index])}\nindex {index}\n{hashes}\n{note}"
    (folder / "entry.tlog-proof").write_text(proof)


main()
