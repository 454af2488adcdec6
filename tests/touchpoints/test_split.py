"""Splitting: the bytes of each item exactly as sent, in time by the body's length, and never an error."""

import contextlib
import json
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request, make_touchpoint
from touchpoints.event import Arrival, ArrivedBy, Event
from touchpoints.judge import event_of, judge
from touchpoints.split import MOST_ITEMS, item_id, items_of, split_body
from touchpoints.touchpoint import Dedup, Touchpoint, Verification

PARENT = "0" * 10 + "v" * 16


def splitting(**fields: Any) -> Touchpoint:
    """An unsigned touchpoint that reads items `{"id", "type", "number"}`."""
    values: dict[str, Any] = {
        "verification": Verification(scheme="none", allow_unsigned=True),
        "alternatives": (),
        "handshake": "",
        "dedup": Dedup(key="json:/id"),
        "event_type": "json:/type",
        "reference": "json:/number",
        "split": "",
    }
    return make_touchpoint("generic", **(values | fields))


def parent(body: bytes, touchpoint: Touchpoint, headers: Sequence[tuple[bytes, bytes]] = ()) -> Event:
    """The event of a request with this body."""
    request = make_request(body, headers)
    return event_of(PARENT, request, touchpoint.id, judge(request, touchpoint), arrived_by=ArrivedBy.PROXY)


def split(body: bytes, touchpoint: Touchpoint, headers: Sequence[tuple[bytes, bytes]] = ()) -> Sequence[Arrival]:
    """The items of a request with this body."""
    found = items_of(parent(body, touchpoint, headers), body, touchpoint)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pointer", "body", "items"),
    [
        ("", b"[]", []),
        ("", b" [ ] ", []),
        ("", b"[1]", [b"1"]),
        ("", b' [ {"a" : 1} ,\t{"b":[1,2]}\r\n]', [b'{"a" : 1}', b'{"b":[1,2]}']),
        ("", b'\xef\xbb\xbf["caf\xc3\xa9"]', [b'"caf\xc3\xa9"']),
        ("", b"[123456789012345678901234567890, 1.10, 1E300]", [b"123456789012345678901234567890", b"1.10", b"1E300"]),
        ("", b'[{"b":1,"a":2,"b":3}]', [b'{"b":1,"a":2,"b":3}']),
        ("", b'["],[", "\\"],[", "\\\\", "{"]', [b'"],["', b'"\\"],["', b'"\\\\"', b'"{"']),
        ("", b"[[1,2],[]]", [b"[1,2]", b"[]"]),
        ("", b"[null,true]", [b"null", b"true"]),
        ("/value", b'{"value" : [1, 2]}', [b"1", b"2"]),
        ("/value", b'{"value": [1], "value": [2]}', [b"2"]),
        ("/value", b'{"other": {"value": [1]}, "value": [2]}', [b"2"]),
        ("/v\xe4l", b'{"v\\u00e4l": [7]}', [b"7"]),
        ("/a~1b/c~0d", b'{"a/b": {"c~d": [1]}}', [b"1"]),
        ("/1/list", b'[{"list": [1]}, {"list": [2]}]', [b"2"]),
        ("/", b'{"": [3]}', [b"3"]),
        ("/a/b", b'{"x": "}", "a": {"k": ",", "b": [{"c": "]"}]}}', [b'{"c": "]"}']),
    ],
)
def test_items_are_the_bytes_that_were_sent(pointer: str, body: bytes, items: list[bytes]) -> None:
    """Spelling, order of keys, repeated keys and numbers of any length survive; blanks between items do not."""
    assert split_body(body, pointer) == items


@pytest.mark.parametrize(
    ("pointer", "body"),
    [
        ("", b""),
        ("", b"{}"),
        ("", b'"[1]"'),
        ("", b"[1"),
        ("", b"[1,]"),
        ("", b"[NaN]"),
        ("", b"[1E400]"),
        ("", b'["\xff"]'),
        ("", b"a=[1]"),
        ("", b"[" * 5000 + b"]" * 5000),
        ("/value", b"[1]"),
        ("/value", b'{"value": {"a": [1]}}'),
        ("/value", b'{"value": "[1]"}'),
        ("/value", b'{"values": [1]}'),
        ("/value/0", b'{"value": []}'),
        ("/value/x", b'{"value": [[1]]}'),
        ("/0/1", b"[5]"),
        ("/value/deep", b'{"value": 5}'),
    ],
)
def test_what_is_no_list_stays_whole(pointer: str, body: bytes) -> None:
    """Another shape, no JSON at all, or a nesting that no reader takes."""
    assert split_body(body, pointer) is None


def test_a_list_is_split_up_to_a_number() -> None:
    """One more than the most stays whole, so that no body makes a transaction without end."""
    most = b"[" + b",".join([b"0"] * MOST_ITEMS) + b"]"
    assert len(split_body(most, "") or ()) == MOST_ITEMS
    assert split_body(most[:-1] + b",0]", "") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(
    items=st.lists(JSON, max_size=8), indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans(), key=st.text(max_size=3)
)
def test_items_join_back_to_what_json_sees(items: list[Any], indent: int | None, ascii_only: bool, key: str) -> None:
    """Each item reads as the list's element, alone and deep in a document, however it is spelled."""
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
    deep = json.dumps({"before": items, key: {"list": items}}, indent=indent, ensure_ascii=ascii_only).encode()
    pointer = "/" + key.replace("~", "~0").replace("/", "~1") + "/list"
    found = split_body(body, "")
    assert found is not None
    assert json.loads(b"[" + b",".join(found) + b"]") == items
    assert all(item in body for item in found)
    assert [json.loads(item) for item in split_body(deep, pointer) or ()] == items


@given(
    body=st.binary(max_size=60) | st.text('[]{},:"\\ \t0e-.', max_size=60).map(str.encode),
    pointer=st.sampled_from(["", "/a", "/0"]),
)
def test_no_input_makes_it_raise_or_disagree(body: bytes, pointer: str) -> None:
    """Whatever comes: items that are JSON each, as many as a reader sees, or nothing."""
    found = split_body(body, pointer)
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        assert found is None
        return
    for token in pointer.split("/")[1:]:
        inside = isinstance(document, dict) or (isinstance(document, list) and token.isdigit() and len(document) > int(token))
        document = (document.get(token) if isinstance(document, dict) else document[int(token)]) if inside else None
    assert (found is None) == (not isinstance(document, list))
    assert [orjson.loads(item) for item in found or ()] == (document or [] if found is not None else [])


@pytest.mark.parametrize(
    "body",
    [
        b'["' + b"\\\\" * 300_000 + b'"]',
        b"[" + b"[]," * 200_000 + b"1]",
        b"{" + b'"value":0,' * 60_000 + b'"value":[1]}',
        b'["' + b'\\"' * 300_000,
    ],
    ids=["escapes", "brackets", "keys", "open end"],
)
def test_memory_is_bounded_by_the_body(body: bytes) -> None:
    """A body made to make a reader remember: beside the one reading that checks it, only the items are held."""
    read = peak(lambda: orjson.loads(body))
    assert peak(lambda: (split_body(body, ""), split_body(body, "/value"))) < read + 2 * len(body)


def peak(work: Callable[[], object]) -> int:
    """The most bytes that are held at once."""
    tracemalloc.start()
    with contextlib.suppress(orjson.JSONDecodeError):
        work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_an_item_is_an_event_of_its_own() -> None:
    """Its type, reference and key are its own; when, how and with which headers it came are its parent's."""
    touchpoint = splitting()
    headers = [(b"content-type", b"application/json")]
    body = b'[{"id": "a", "type": "x", "number": 1}, {"id": "b", "type": "y"}]'
    whole = parent(body, touchpoint, headers)
    first, second = split(body, touchpoint, headers)
    assert (first.event.event_type, first.event.reference, first.event.dedup_key) == ("x", "1", "7:a")
    assert (second.event.event_type, second.event.reference, second.event.dedup_key) == ("y", None, "7:b")
    assert (second.body, second.event.body_bytes) == (b'{"id": "b", "type": "y"}', 24)
    assert first.event.body_hash != second.event.body_hash != whole.body_hash
    for item in (first, second):
        same = ("touchpoint", "received_at", "arrived_by", "headers", "target", "remote", "verdict", "hop")
        assert all(getattr(item.event, name) == getattr(whole, name) for name in same)


def test_a_key_beside_the_body_is_made_one_of_the_item() -> None:
    """A provider's id in a header stands for all items together: taken as it is, all but one were duplicates."""
    touchpoint = splitting(dedup=Dedup(key="header:x-id"))
    assert [one.event.dedup_key for one in split(b"[1,1]", touchpoint, [(b"x-id", b"e1")])] == ["7:e1#0", "7:e1#1"]


def test_items_without_an_id_have_no_key() -> None:
    """No id, no dedup: two items that look alike are two."""
    touchpoint = splitting(dedup=Dedup(key="json:/id"))
    assert [one.event.dedup_key for one in split(b'[{"a":1},{"a":1}]', touchpoint)] == [None, None]


def test_items_by_their_bytes_are_known_by_their_own() -> None:
    """Where a preset takes the body for the key, an item's is its own body."""
    first, second, third = split(b"[1,2,1]", splitting(dedup=Dedup(key="body")))
    assert first.event.dedup_key == third.event.dedup_key != second.event.dedup_key


def test_ids_of_items_are_always_the_same_and_sort() -> None:
    """Splitting once more makes the same events; two parents never share one."""
    first = [item_id(PARENT, number) for number in range(MOST_ITEMS)]
    second = [item_id("0" * 10 + "u" * 16, number) for number in range(MOST_ITEMS)]
    assert first == sorted(first) == [item_id(PARENT, number) for number in range(MOST_ITEMS)]
    assert len({*first, *second, PARENT}) == 2 * MOST_ITEMS + 1
    assert {len(an_id) for an_id in first} == {26}
    assert all(an_id.startswith(PARENT[:10]) and an_id.isalnum() and an_id.islower() for an_id in first if not an_id.isdigit())


@pytest.mark.parametrize("fields", [{"split": None}, {"split": "/value"}])
def test_a_body_that_is_not_split_gives_no_items(fields: dict[str, Any]) -> None:
    """The setting is off, or there is no list where it looks."""
    touchpoint = splitting(**fields)
    assert items_of(parent(b"[1]", touchpoint), b"[1]", touchpoint) is None
