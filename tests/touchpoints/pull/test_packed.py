"""Packed requests: exact to the byte, and whatever else is refused in words."""

import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.values import PACKED
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.packed import Packed, pack, unpack

ORDER = Packed(
    event_id="01JD0000000000000000000001",
    touchpoint="orders",
    method="POST",
    target="/acme/orders/token?a=%2F&b=\xff",
    headers=((b"x-one", b"1"), (b"x-two", b""), (b"x-one", b"\xff \t2 "), (b"", b"no name")),
    remote="192.0.2.7",
    received_at=1_800_000_000_000_000,
    body=b'\xef\xbb\xbf{"a":"\\/\\u2028","a":1e400}\r\n\x00\xff',
)


def refused(data: bytes) -> str:
    with pytest.raises(PullMalformed) as raised:
        unpack(data)
    return raised.value.reason


@given(PACKED)
def test_requests_are_exact(packed: Packed) -> None:
    """Order, duplicates, empty values, bytes that are no text."""
    assert unpack(pack(packed)) == packed


def test_an_odd_request_is_exact() -> None:
    """What relays are known to break."""
    assert unpack(pack(ORDER)) == ORDER


@given(PACKED, st.data())
def test_what_is_cut_short_or_longer_is_refused(packed: Packed, data: st.DataObject) -> None:
    """Wherever it ends."""
    whole = pack(packed)

    assert refused(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert refused(whole + b"x")


def test_each_changed_byte_is_another_request_or_refused() -> None:
    """Nothing that is packed goes unread."""
    whole = pack(ORDER)
    for index in range(len(whole)):
        for bit in (1, 16, 128):
            changed = whole[:index] + bytes([whole[index] ^ bit]) + whole[index + 1 :]
            with suppress(PullMalformed):
                assert unpack(changed) != ORDER


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Nothing but PullMalformed."""
    assert refused(data).isprintable()


@given(st.lists(st.integers(0, 2**32 - 1), min_size=6, max_size=6), st.integers(0, 2**64 - 1), st.binary(max_size=100))
def test_any_lengths_are_refused(lengths: list[int], body: int, rest: bytes) -> None:
    """Compared with what is there before anything is taken."""
    assert refused(struct.pack(">BQ6IQ", 1, 1, *lengths, body) + rest)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_id": ""}, "event id"),
        ({"event_id": "a b"}, "event id"),
        ({"touchpoint": "../x"}, "touchpoint"),
        ({"touchpoint": "con"}, "touchpoint"),
        ({"method": ""}, "method"),
        ({"method": "POST /"}, "method"),
        ({"target": "/\r\nx: y"}, "target"),
        ({"remote": "a\x1b"}, "remote"),
        ({"headers": ((b"a\n", b""),)}, "header"),
        ({"headers": ((b"a", b"1\r\nb: 2"),)}, "header"),
        ({"headers": ((b"a", b"\0"),)}, "header"),
        ({"headers": ((b"a", bytes([65]) * (1024 * 1024)),)}, "lengths"),
        ({"target": "/" * (64 * 1024 + 1)}, "too large"),
    ],
)
def test_what_a_hostile_proxy_may_not_put_in(change: dict[str, object], reason: str) -> None:
    """No line of its own further on, no name that means more than itself."""
    assert reason in refused(pack(replace(ORDER, **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"target": "/\u0100"},
        {"method": "PÖST"},
        {"touchpoint": "ä"},
        {"received_at": -1},
        {"received_at": 2**63},
        {"headers": ((b"", b""),) * (32 * 1024 + 1)},
    ],
)
def test_what_no_listener_takes_is_not_packed(change: dict[str, object]) -> None:
    """In words."""
    with pytest.raises(PullMalformed):
        pack(replace(ORDER, **change))  # type: ignore[arg-type]


def test_what_the_listener_takes_is_packed() -> None:
    """The largest head: 16,384 headers in 64 KiB, a target of 8 KiB."""
    packed = replace(ORDER, headers=((b"a", b""),) * (64 * 1024 // 4), target="/" + "a" * (8 * 1024 - 1))

    assert unpack(pack(packed)) == packed
