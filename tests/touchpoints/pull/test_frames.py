"""Batches: in frames and as JSON they arrive as they were; what is cut, changed or too large is refused in words."""

import hashlib
import struct
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.values import BATCHES, JSON_VALUES
from touchpoints.pull import frames as module
from touchpoints.pull.frames import (
    LARGEST_HEAD,
    batch_chunks,
    batch_from_json,
    batch_to_json,
    decode_batch,
    encode_batch,
    untouched,
)
from touchpoints.pull.key import signing_public
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import Ask, Batch, Sealed
from touchpoints.pull.proof import check_answer, sign_answer


def sealed(seq: int, data: bytes) -> Sealed:
    return Sealed(seq=seq, id=f"e{seq}", received_at=seq, key_id="k", digest=hashlib.sha256(data).digest(), data=data)


BATCH = Batch(
    incarnation="i",
    epoch=3,
    lease_seconds=60.0,
    acknowledged=4,
    messages=(sealed(5, b"five"), sealed(6, b""), sealed(9, b"nine" * 9)),
    keys={"k": b"wrapped"},
    asks=(Ask(id="a", key_id="k", data=b"ask", seconds=2.5),),
)


def frame(head: object, body: bytes = b"") -> bytes:
    written = head if isinstance(head, bytes) else orjson.dumps(head)
    return struct.pack(">I", len(written)) + written + struct.pack(">Q", len(body)) + body


def heads(batch: Batch) -> list[tuple[object, ...]]:
    return [(one.seq, one.id, one.received_at, one.key_id) for one in batch.messages]


def refused(data: bytes) -> str:
    with pytest.raises(PullMalformed) as raised:
        decode_batch(data)
    return raised.value.reason


@given(BATCHES)
def test_batches_arrive_as_they_were(batch: Batch) -> None:
    """Both forms, each field."""
    assert decode_batch(encode_batch(batch)) == batch
    assert batch_from_json(batch_to_json(batch)) == batch
    assert b"".join(batch_chunks(batch)) == encode_batch(batch)


@given(BATCHES, st.data())
def test_a_batch_that_is_cut_short_is_refused(batch: Batch, data: st.DataObject) -> None:
    """Wherever it ends, also between two frames."""
    whole = encode_batch(batch)

    assert refused(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_each_changed_byte_is_noticed() -> None:
    """By the frames, by a digest, or in the end by the proxy's signature; and nothing else is raised."""
    whole = encode_batch(BATCH)
    public = signing_public(bytes(32))
    proof = sign_answer(bytes(32), signature=bytes(64), status=200, body=whole)
    assert check_answer(public, proof, signature=bytes(64), status=200, body=whole)
    for index in range(len(whole)):
        for bit in (1, 128):
            changed = bytearray(whole)
            changed[index] ^= bit
            with suppress(PullMalformed):
                batch = decode_batch(bytes(changed))
                assert batch.messages == BATCH.messages or not untouched(batch) or heads(batch) != heads(BATCH)
            assert not check_answer(public, proof, signature=bytes(64), status=200, body=bytes(changed))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but PullMalformed."""
    assert refused(data)
    with pytest.raises(PullMalformed):
        batch_from_json(data)


@given(JSON_VALUES)
def test_any_head_is_read_or_refused(value: object) -> None:
    """Nothing but PullMalformed, also where a head is JSON of another form."""
    head = {"kind": "batch", "version": 1, "messages": value, "asks": value, "keys": value, "gap": value}
    assert refused(frame(head))
    assert refused(frame(value))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(struct.pack(">I", 0xFFFFFFFF), id="a head of 4 GiB"),
        pytest.param(struct.pack(">I", LARGEST_HEAD + 1) + b" " * (LARGEST_HEAD + 1), id="a head over the limit"),
        pytest.param(struct.pack(">I", 2) + b"{}" + struct.pack(">Q", 2**64 - 1), id="a body of 2**64"),
        pytest.param(frame({"kind": "batch", "version": 2}), id="another version"),
        pytest.param(frame({"kind": "message"}), id="another frame"),
        pytest.param(frame([]), id="no object"),
        pytest.param(encode_batch(BATCH) + b"x", id="something behind"),
        pytest.param(encode_batch(BATCH) * 2, id="a second batch"),
        pytest.param(encode_batch(replace(BATCH, messages=(BATCH.messages[1], BATCH.messages[0]))), id="out of order"),
        pytest.param(encode_batch(replace(BATCH, messages=(BATCH.messages[0],) * 2)), id="the same number twice"),
        pytest.param(encode_batch(replace(BATCH, holder="a\nb")), id="a holder on two lines"),
        pytest.param(encode_batch(replace(BATCH, gap=(7, 6))), id="a gap that ends before it begins"),
        pytest.param(encode_batch(replace(BATCH, keys={"a b": b"x"})), id="a key's id with a space"),
        pytest.param(encode_batch(replace(BATCH, messages=(replace(BATCH.messages[0], seq=0),))), id="number 0"),
        pytest.param(encode_batch(replace(BATCH, messages=(replace(BATCH.messages[0], digest=b"x"),))), id="a short digest"),
    ],
)
def test_what_a_batch_may_not_be(data: bytes) -> None:
    """Lengths are compared with what is there before they are used; order and forms are checked."""
    assert refused(data).isprintable()


@pytest.mark.parametrize(
    "counts", [{"messages": 4097, "asks": 0}, {"messages": -1, "asks": 0}, {"messages": 0, "asks": 65}, {}]
)
def test_counts_are_bounded(counts: dict[str, int]) -> None:
    """Neither too many nor none said."""
    head = {"kind": "batch", "version": 1, "incarnation": "i", "epoch": 1, "lease_seconds": 1, "acknowledged": 0}

    assert refused(frame({**head, **counts}))
    assert decode_batch(frame({**head, "messages": 0, "asks": 0})).incarnation == "i"


def test_a_body_on_the_first_frame_is_refused() -> None:
    """It would be nothing's."""
    head = {"kind": "batch", "version": 1, "incarnation": "i", "epoch": 1, "lease_seconds": 1, "acknowledged": 0}

    assert "body" in refused(frame({**head, "messages": 0, "asks": 0}, b"x"))


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read at all above the limit."""
    monkeypatch.setattr(module, "LARGEST_BATCH", 10)

    assert "more than 10 bytes" in refused(bytes(11))


def test_one_large_event_does_not_stop_the_others() -> None:
    """Neither before nor behind it."""
    batch = replace(BATCH, messages=(sealed(1, b"a"), sealed(2, bytes(30 * 1024 * 1024)), sealed(3, b"c")))

    assert decode_batch(encode_batch(batch)) == batch


def test_a_changed_message_is_noticed() -> None:
    """Its digest no longer fits, whichever it is."""
    assert untouched(BATCH)
    for index, message in enumerate(BATCH.messages):
        messages = list(BATCH.messages)
        messages[index] = replace(message, data=message.data + b"x")
        assert not untouched(replace(BATCH, messages=tuple(messages)))


def test_json_of_another_version_is_refused() -> None:
    """As in frames."""
    found = orjson.loads(batch_to_json(BATCH))

    assert batch_from_json(orjson.dumps({**found, "later": 1})) == BATCH
    for version in (2, "1", None):
        with pytest.raises(PullMalformed):
            batch_from_json(orjson.dumps({**found, "version": version}))
