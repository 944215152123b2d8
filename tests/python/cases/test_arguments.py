"""What of Python is JSON. Of anything else there is an error, no verdict and no entry."""

from __future__ import annotations

import datetime
import enum
import math
from collections import OrderedDict, defaultdict
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

import vak
from sites import Asked


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def cycle() -> Any:
    one: list[Any] = []
    two = {"a": one}
    one.append(two)
    return one


def wide() -> Any:
    """Few objects, and more than anybody could write down."""
    value: Any = ["x" * 1_000]
    for _ in range(30):
        value = [value] * 1_000
    return value


class Other:
    pass


class Loud:
    """Nothing of it is called."""

    def __int__(self) -> int:
        raise AssertionError

    __index__ = __float__ = __str__ = __iter__ = __len__ = __int__  # type: ignore[assignment]


class Same(str):
    """Differs from all others, and reads the same."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


BAD: list[tuple[str, Any, str]] = [
    ("bytes", b"x", "`bytes` is no JSON"),
    ("set", {1}, "`set` is no JSON"),
    ("date", {"a": [datetime.date(2026, 1, 1)]}, "at `/a/0`: `date` is no JSON"),
    ("decimal", {"a": Decimal(1)}, "`Decimal` is no JSON"),
    ("object", Other(), "`Other` is no JSON"),
    ("loud object", Loud(), "`Loud` is no JSON"),
    ("generator", (number for number in [1]), "`generator` is no JSON"),
    ("mapping", MappingProxyType({}), "`mappingproxy` is no JSON"),
    ("function", len, "is no JSON"),
    ("class", int, "is no JSON"),
    ("number as key", {"a": {1: 2}}, "at `/a`: a key is a `int`"),
    ("None as key", {None: 1}, "a key is a `NoneType`"),
    ("bool as key", {True: 1}, "a key is a `bool`"),
    ("tuple as key", {("a",): 1}, "a key is a `tuple`"),
    ("bytes as key", {b"a": 1}, "a key is a `bytes`"),
    ("two keys that read the same", {Same("a"): 1, Same("a"): 2}, "the same text"),
    ("not a number", [math.nan], "JSON has no number `NaN`"),
    ("infinity", {"a": math.inf}, "JSON has no number `inf`"),
    ("minus infinity", -math.inf, "JSON has no number `-inf`"),
    ("complex", 1j, "`complex` is no JSON"),
    ("too large", 2**64, "more than 64 bits"),
    ("too small", -(2**63) - 1, "more than 64 bits"),
    ("far too large", 10**10_000, "more than 64 bits"),
    ("half of a pair", "\ud800", "half of a surrogate pair"),
    ("half of a pair in a key", {"\udfff": 1}, "half of a surrogate pair"),
    ("too deep", nested(65), "nested deeper than 64 levels"),
    ("far too deep", nested(100_000), "nested deeper than 64 levels"),
    ("a cycle", cycle(), "or contains itself"),
    ("too long", "x" * (1 << 20), "longer than 1048576 bytes"),
    ("10 MB", {"text": "x" * 10_000_000}, "longer than 1048576 bytes"),
    ("too long when it is written", "\x00" * 400_000, "the most is 1048576"),
    ("too many", [None] * 2_000_000, "longer than 1048576 bytes"),
    ("more than anybody could write", wide(), "longer than 1048576 bytes"),
]


@pytest.mark.parametrize(("value", "why"), [pytest.param(value, why, id=name) for name, value, why in BAD])
def test_what_is_no_json_is_not_asked(host: vak.Host, value: Any, why: str) -> None:
    for ask in (
        lambda: host.decide("ada", "files/read", "notes", value),
        lambda: host.aio.decide("ada", "files/read", "notes", value),
        lambda: host.execute("ada", "calculator", value),
    ):
        with pytest.raises(vak.ArgumentError) as raised:
            ask()
        assert why in str(raised.value) and len(str(raised.value)) < 500
        assert isinstance(raised.value, ValueError)


def test_of_what_was_refused_nothing_is_in_the_log(asked: Asked) -> None:
    for _, value, _ in BAD:
        with pytest.raises(vak.ArgumentError):
            asked.decide("files/read", value)
    assert asked.close().told() == []


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"": {"a": [[], {}, None]}},
        {"b": 1, "a": 2, "é": "\U0001f600\u2028\x00", "same": "é"},
        [2**64 - 1, -(2**63), 0, -0.0, 1e308, 5e-324, 0.1, 1e22, True, False, None],
        ["/", "~", '"', "\\", "\n"],
        nested(64),
        "x" * ((1 << 20) - 3),
        7,
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
    ],
)
def test_what_is_json_comes_back(asked: Asked, value: Any) -> None:
    arguments = asked.decide("files/read", value).arguments
    assert arguments == value and repr(arguments) == repr(plain(value))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value, key=str.encode)}
    return value


def test_what_is_like_json_comes_back_as_that(asked: Asked) -> None:
    arguments = asked.decide("files/read", {"a": (1, Colour.RED), Colour.RED: Level.HIGH}).arguments
    assert arguments == {"a": [1, "red"], "red": 3}
    assert type(arguments["a"][1]) is str and type(arguments["red"]) is int


def test_what_changes_afterwards_is_not_what_was_judged(asked: Asked) -> None:
    given = {"path": ["/work/a"]}
    decision = asked.decide("files/read", given)
    given["path"][0] = "/etc/shadow"
    assert decision.arguments == {"path": ["/work/a"]}


@pytest.mark.parametrize(
    "more",
    [
        {"labels": "mail"},
        {"labels": [1]},
        {"labels": {"a": 1}},
        {"labels": ["\ud800"]},
        {"attributes": [("a", 1)]},
        {"attributes": {1: "a"}},
        {"attributes": {"a": 1.5}},
        {"attributes": {"a": 2**63}},
        {"attributes": {"a": None}},
        {"attributes": {"a": ["b", 1]}},
        {"attributes": {"a": "\ud800"}},
        {"able": "arguments"},
        {"able": ["argument"]},
        {"able": True},
        {"session": ""},
        {"session": "a\nb"},
    ],
)
def test_the_rest_is_looked_at_too(asked: Asked, more: dict[str, Any]) -> None:
    with pytest.raises(vak.ArgumentError):
        asked.decide("files/read", **more)
    assert asked.close().told() == []


def test_a_result_that_is_no_json_leaves_the_outcome_open(asked: Asked) -> None:
    decision = asked.decide()
    with pytest.raises(vak.ArgumentError):
        decision.succeeded(Other())  # type: ignore[arg-type]
    for spent in ({"cost": -1}, {"cost": 1.5}, {1: 1}, [("cost", 1)], {"cost": 2**64}, {"cost": Loud()}):
        with pytest.raises(TypeError):
            decision.succeeded(spent=spent)  # type: ignore[arg-type]
    decision.succeeded()
    assert asked.close().told() == [("allow", "succeeded")]
