"""Signatures of packages: how they are made and what makes them hold."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:vak:component:v1"

BYTES_MAX = 65_536
BUNDLES_MAX = 16
AHEAD_MAX = timedelta(minutes=5)

# The points of small order, by their y: anybody can make signatures for such keys.
P = 2**255 - 19
Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7
WEAK = {0, 1, P - 1, Y_OF_ORDER_8, P - Y_OF_ORDER_8}


class NotVerified(Exception):
    """What is wrong, for people."""


def check(holds: bool, wrong: str) -> None:
    if not holds:
        raise NotVerified(wrong)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_weak(point: bytes) -> bool:
    return int.from_bytes(point, "little") % 2**255 % P in WEAK


def pre_authentication_encoding(payload: bytes) -> bytes:
    return f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check(len({key for key, _ in pairs}) == len(pairs), "an object has a key twice")
    return dict(pairs)


def no_constant(name: str) -> Any:
    raise NotVerified(f"{name} is not JSON")


SPACE = " \t\r\n"
DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=no_constant)


def documents(data: bytes) -> Iterator[Any]:
    """JSON texts one after the other."""
    text = data.decode().lstrip(SPACE)
    while text:
        value, end = DECODER.raw_decode(text)
        yield value
        text = text[end:].lstrip(SPACE)


def text_of(value: Any, what: str) -> str:
    check(isinstance(value, str), f"{what} is no text")
    value.encode()
    return value


def keys_of(value: Any, what: str, required: set[str], optional: set[str] = frozenset()) -> dict[str, Any]:
    check(isinstance(value, dict), f"{what} is no object")
    check(required <= value.keys() <= required | optional, f"{what} has other keys")
    return value


def decode64(value: Any, what: str) -> bytes:
    decoded = base64.b64decode(text_of(value, what), validate=True)
    check(base64.b64encode(decoded).decode() == value, f"{what} is not in the one form of base64")
    return decoded


def time_of(value: Any) -> datetime:
    form = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text_of(value, "a time"), re.ASCII)
    check(form is not None and "1970" <= value[:4] <= "9998", f"{value!r} is no time")
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


class Bundle:
    def __init__(self, value: Any) -> None:
        bundle = keys_of(value, "the bundle", {"mediaType", "verificationMaterial", "dsseEnvelope"})
        check(bundle["mediaType"] == MEDIA_TYPE, "the bundle has another media type")
        material = keys_of(bundle["verificationMaterial"], "the material", {"publicKey"}, {"tlogEntries"})
        check(material.get("tlogEntries", []) == [], "there are log entries")
        check(isinstance(material.get("tlogEntries", []), list), "log entries are no list")
        text_of(keys_of(material["publicKey"], "the key", set(), {"hint"}).get("hint", ""), "the hint")
        envelope = keys_of(bundle["dsseEnvelope"], "the envelope", {"payload", "payloadType", "signatures"})
        check(envelope["payloadType"] == PAYLOAD_TYPE, "the payload has another type")
        signatures = envelope["signatures"]
        check(isinstance(signatures, list) and len(signatures) == 1, "there is not one signature")
        signature = keys_of(signatures[0], "the signature", {"sig"}, {"keyid"})
        text_of(signature.get("keyid", ""), "the key id")
        self.payload = decode64(envelope["payload"], "the payload")
        self.signature = decode64(signature["sig"], "the signature")

    def signed_by(self, key: bytes) -> bool:
        if len(self.signature) != 64 or is_weak(key) or is_weak(self.signature[:32]):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, pre_authentication_encoding(self.payload))
        except InvalidSignature:
            return False
        return True


class Statement:
    def __init__(self, payload: bytes) -> None:
        values = list(documents(payload))
        check(len(values) == 1, "the payload is not one JSON text")
        statement = keys_of(values[0], "the statement", {"_type", "subject", "predicateType", "predicate"})
        check(statement["_type"] == STATEMENT_TYPE, "the statement has another type")
        check(statement["predicateType"] == PREDICATE_TYPE, "the predicate has another type")
        subjects = statement["subject"]
        check(isinstance(subjects, list) and len(subjects) == 2, "there are not two subjects")
        self.component = self.digest(subjects[0], "component.wasm")
        self.manifest = self.digest(subjects[1], "manifest.json")
        predicate = keys_of(statement["predicate"], "the predicate", {"signedAt"}, {"expiresAt"})
        self.signed_at = time_of(predicate["signedAt"])
        self.expires_at = time_of(predicate["expiresAt"]) if "expiresAt" in predicate else None
        check(self.expires_at is None or self.expires_at > self.signed_at, "it ends before it was made")

    @staticmethod
    def digest(value: Any, name: str) -> str:
        subject = keys_of(value, "a subject", {"name", "digest"})
        check(subject["name"] == name, f"a subject is not `{name}`")
        digest = keys_of(subject["digest"], "a digest", {"sha256"})["sha256"]
        check(re.fullmatch("[0-9a-f]{64}", text_of(digest, "a digest")) is not None, "a digest is none")
        return digest

    def counts_at(self, now: datetime) -> bool:
        return self.signed_at <= now + AHEAD_MAX and (self.expires_at is None or now < self.expires_at)


def verify(component: bytes, manifest: bytes, signatures: bytes, key: bytes, now: datetime) -> None:
    """Whether `key` signed this component with this manifest, in a signature that counts now."""
    try:
        check(len(signatures) <= BYTES_MAX, "the signature file is too long")
        bundles = [Bundle(value) for value in documents(signatures)]
        check(1 <= len(bundles) <= BUNDLES_MAX, f"the signature file has {len(bundles)} bundles")
        statements = [Statement(bundle.payload) for bundle in bundles if bundle.signed_by(key)]
    except (ValueError, RecursionError) as wrong:
        raise NotVerified(str(wrong)) from wrong
    for statement in statements:
        check(statement.component == sha256(component), "the signature is over another component")
        check(statement.manifest == sha256(manifest), "the signature is over another manifest")
    check(any(statement.counts_at(now) for statement in statements), "no signature counts")


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def sign(component: bytes, manifest: bytes, seed: bytes, signed_at: str, expires_at: str | None) -> str:
    """A signature file, byte for byte as the host's tools write it."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    files = (("component.wasm", component), ("manifest.json", manifest))
    subjects = [{"name": name, "digest": {"sha256": sha256(data)}} for name, data in files]
    times = {"signedAt": signed_at} | ({"expiresAt": expires_at} if expires_at else {})
    statement = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": times}
    payload = compact(statement).encode()
    signature = private.sign(pre_authentication_encoding(payload))
    keyid = "sha256:" + sha256(private.public_key().public_bytes_raw())
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": keyid}],
    }
    material = {"publicKey": {"hint": keyid}, "tlogEntries": []}
    return compact({"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}) + "\n"
