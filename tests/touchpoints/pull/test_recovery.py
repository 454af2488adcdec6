"""The recovery key: it opens its box, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.chance import chance
from touchpoints.problem import ProblemError
from touchpoints.pull.key import exchange_public, new_exchange_key
from touchpoints.pull.recovery import BOX, new_recovery_key, open_recovery_box, parse_recovery_key, recovery_box

PRIVATE = new_exchange_key(chance("organisation"))
PUBLIC = exchange_public(PRIVATE)
TEXT = new_recovery_key(chance("recovery"))
KEY = parse_recovery_key(TEXT)
SEALED = recovery_box(PRIVATE, KEY, sealing_key=PUBLIC, chance=chance("box"))


def wrong(box: bytes, key: bytes = KEY, sealing_key: bytes = PUBLIC) -> None:
    with pytest.raises(ProblemError) as raised:
        open_recovery_box(box, key, sealing_key=sealing_key)
    assert raised.value.problems[0].code == "recovery_key_wrong"


def test_the_key_opens_the_box() -> None:
    """Typed as people type."""
    assert [len(group) for group in TEXT.split("-")] == [4] * 8
    assert len(KEY) == 20
    for typed in (TEXT, TEXT.lower(), TEXT.replace("-", " "), TEXT.replace("0", "o").replace("1", "l")):
        assert open_recovery_box(SEALED, parse_recovery_key(typed), sealing_key=PUBLIC) == PRIVATE
    assert len(SEALED) == BOX


def test_each_changed_byte_is_refused() -> None:
    """Of the box, of the key, of the organisation's public key."""
    for index in range(len(SEALED)):
        wrong(SEALED[:index] + bytes([SEALED[index] ^ 1]) + SEALED[index + 1 :])
    for index in range(len(KEY)):
        wrong(SEALED, key=KEY[:index] + bytes([KEY[index] ^ 1]) + KEY[index + 1 :])
    wrong(SEALED, sealing_key=exchange_public(new_exchange_key(chance("other"))))


def test_a_key_that_is_not_the_organisations_is_refused() -> None:
    """A proxy cannot hand out a box that holds a key of its own."""
    other = exchange_public(new_exchange_key(chance("other")))

    wrong(recovery_box(PRIVATE, KEY, sealing_key=other, chance=chance("box")), sealing_key=other)


@given(st.binary(max_size=100))
def test_any_box_is_only_wrong(box: bytes) -> None:
    """Nothing else is raised."""
    wrong(box)


def test_no_two_boxes_share_a_key_stream() -> None:
    """Each has a salt, and so a cipher, of its own."""
    again = recovery_box(PRIVATE, KEY, sealing_key=PUBLIC, chance=chance("another box"))

    assert again[17:] != SEALED[17:]
    assert open_recovery_box(again, KEY, sealing_key=PUBLIC) == PRIVATE


@pytest.mark.parametrize("text", ["", TEXT[:-1], TEXT + "0", TEXT.replace("-", "_"), "U" + TEXT[1:]])
def test_what_is_no_recovery_key(text: str) -> None:
    """Told in words."""
    with pytest.raises(ProblemError) as raised:
        parse_recovery_key(text)
    assert raised.value.problems[0].code == "recovery_key_malformed"
