"""JSON pointers with every element."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.pointer import ABSENT, follow, node_at, parse_json, repeats, tokens_of

BODY = parse_json(b'{"value":[{"s":"a","n":[1,2]},{"s":"b","n":[]},{"s":null,"n":{"*":3}}],"empty":[],"*":{"k":"star"}}')


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/value/*/s", ["a", "b", ""]),
        ("/value/*/n/*", ["1", "2", "", "3"]),
        ("/value/0/s", ["a"]),
        ("/value/*", []),  # objects have no text
        ("/empty/*", []),
        ("/empty/*/s", []),
        ("/none/*/s", []),
        ("/*/k", ["star"]),  # in an object it is a key like any other
        ("/value/*/missing", []),
    ],
)
def test_a_star_is_every_element(pointer: str, found: list[str]) -> None:
    """An element that lacks it counts as an empty text, unless all do: whoever proves by it must see the gap."""
    assert [text.decode() for text in follow(BODY, tokens_of(pointer))] == found


def test_more_parts_than_any_sender_has_are_no_document() -> None:
    """Strangers send them, too, and each part takes many times its own bytes of memory."""
    for part in (b"0,", b"[],", b"{},"):
        assert parse_json(b"[" + part * 100 + b"0]") is not ABSENT
        assert parse_json(b"[" + part * 2_000_000 + b"0]") is ABSENT
    assert parse_json(b'["' + b"," * 1_000_000 + b"x" * 5_000_000 + b'"]') is not ABSENT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a":1,"b":{"a":1}}', False),
        (b'{"a":1,"\\u0061":2}', True),
        (b'[{"x":[{"a":1,"b":2,"a":1}]}]', True),
        (b'[{"a":1},{"a":1}]', False),
    ],
)
def test_a_name_that_stands_twice(text: bytes, found: bool) -> None:
    """In one object, at any depth, however it is written."""
    assert repeats(text) is found


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 200_000])
def test_of_what_cannot_be_read_nobody_can_tell(text: bytes) -> None:
    """And the caller learns it."""
    with pytest.raises(ValueError, match=r".+"):
        repeats(text)


def test_what_stands_at_a_pointer_is_there_in_its_own_type() -> None:
    """ABSENT where nothing is; null is something."""
    assert node_at(BODY, ("value", "2", "s")) is None
    assert node_at(BODY, ("value", "3")) is ABSENT
    assert node_at(BODY, ("value", "00")) == BODY["value"][0]
    assert node_at(ABSENT, ("a",)) is ABSENT


def test_more_elements_than_any_sender_sends_are_not_read() -> None:
    """A body of millions of them must not cost millions of comparisons."""
    document = parse_json(b"[" + b",".join([b"1"] * 10_001) + b"]")

    assert follow(document, ("*",)) == []
    assert len(follow(document[:-1], ("*",))) == 10_000


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "*", "0"]), inner, max_size=4),
    max_leaves=20,
)


@given(TREES, st.lists(st.sampled_from(["a", "b", "*", "0", "1", "-"]), max_size=5))
def test_no_document_and_no_pointer_fails(tree: Any, tokens: list[str]) -> None:
    """And without a star it agrees with walking by hand."""
    document = parse_json(json.dumps(tree).encode())
    found = follow(document, tokens)

    assert all(isinstance(text, bytes) for text in found)
    if "*" not in tokens:
        node = tree
        for token in tokens:
            if isinstance(node, list):
                node = node[int(token)] if token.isdigit() and int(token) < len(node) else ABSENT
            else:
                node = node.get(token, ABSENT) if isinstance(node, dict) else ABSENT
        assert bool(found) is (isinstance(node, str | bool) and "\0" not in str(node)) or isinstance(node, int | float)
