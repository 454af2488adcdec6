"""What is wrong with a table is told with its path."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.touchpoints.defining import HERE, read, wrong
from touchpoints.definition import read_touchpoints
from touchpoints.definition_setting import MOST_PROBLEMS, Reading


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"nmae": 1}, ("touchpoint.t.nmae", "unknown_key_similar")),
        ({"zzz": 1}, ("touchpoint.t.zzz", "unknown_key")),
        ({"provider": "shopifi"}, ("touchpoint.t.provider", "provider_unknown")),
        ({"provider": 3}, ("touchpoint.t.provider", "wrong_type")),
        ({"name": "CON"}, ("touchpoint.CON.name", "name_invalid")),
        ({"name": "con"}, ("touchpoint.con.name", "name_device")),
        ({"name": "../etc"}, ("touchpoint.../etc.name", "name_invalid")),
        ({"aliases": ["a/b"]}, ("touchpoint.t.aliases[0]", "name_invalid")),
        ({"aliases": ["t"]}, ("touchpoint.t", "name_taken")),
        ({"secrets": "s"}, ("touchpoint.t.secrets", "wrong_type")),
        ({"secrets": ["a", 1]}, ("touchpoint.t.secrets[1]", "wrong_type")),
        ({"secrets": [""]}, ("touchpoint.t.secrets[0]", "secret_empty")),
        ({"state": "setup"}, ("touchpoint.t.state", "not_one_of")),
        ({"reference": "cookie:x"}, ("touchpoint.t.reference", "selector_invalid")),
        ({"credential": "header:X"}, ("touchpoint.t.credential", "credential_preset")),
        ({"verify": {"scheme": "hmac"}}, ("touchpoint.t.verify", "verify_preset")),
        ({"dedup": {"key": "body"}}, ("touchpoint.t.dedup.key", "dedup_preset")),
        ({"public_url": "https://x/?a=b"}, ("touchpoint.t.public_url", "url_has_query")),
        ({"retry": {"schedule": ["1x"]}}, ("touchpoint.t.retry.schedule[0]", "not_a_span")),
        ({"retry": {"schedule": ["60d"]}}, ("touchpoint.t.retry.schedule[0]", "out_of_range")),
        ({"provider": "generic"}, ("touchpoint.t.verify", "verify_needed")),
        ({"provider": "generic", "verify": {"scheme": "none"}}, ("touchpoint.t.verify", "unsigned_not_allowed")),
        ({"provider": "generic", "verify": {"scheme": "hmac"}}, ("touchpoint.t.verify", "verify_invalid")),
        (
            {"provider": "generic", "verify": {"scheme": "token", "header": "X", "signature": "header:Y"}},
            ("touchpoint.t.verify.header", "verify_header_twice"),
        ),
        ({"networks": ["192.0.2.1/24"]}, ("touchpoint.t.networks[0]", "not_an_address")),
        ({"client_certificates": ["ab" * 31]}, ("touchpoint.t.client_certificates[0]", "not_a_fingerprint")),
        ({"split": True}, ("touchpoint.t.split", "split_unknown")),
        ({"split": 1}, ("touchpoint.t.split", "wrong_type")),
        ({"items": ""}, ("touchpoint.t.items", "items_preset")),
        ({"handshake": "echo_query:a"}, ("touchpoint.t.handshake", "handshake_preset")),
        (
            {"provider": "generic", "verify": {"allow_unsigned": True}, "handshake": "guess:a"},
            ("touchpoint.t.handshake", "handshake_invalid"),
        ),
        (
            {"provider": "generic", "verify": {"allow_unsigned": True}, "items": "events"},
            ("touchpoint.t.items", "selector_invalid"),
        ),
        (
            {"provider": "generic", "verify": {"allow_unsigned": True}, "items": "/a/*"},
            ("touchpoint.t.items", "selector_invalid"),
        ),
        (
            {"provider": "generic", "verify": {"allow_unsigned": True}, "split": True},
            ("touchpoint.t.split", "split_unknown"),
        ),
        ({"destination": {}}, ("touchpoint.t.destination", "wrong_type")),
        ({"destination": [3]}, ("touchpoint.t.destination[0]", "wrong_type")),
        ({"destination": [{}]}, ("touchpoint.t.destination[0]", "missing_key")),
        ({"destination": [{"kind": "ftp"}]}, ("touchpoint.t.destination.ftp.kind", "destination_kind")),
        ({"destination": [{"kind": "http"}]}, ("touchpoint.t.destination.http", "missing_key")),
        ({"destination": [{"kind": "folder"}]}, ("touchpoint.t.destination.folder", "missing_key")),
        ({"destination": [{"kind": "folder", "path": "in"}]}, ("touchpoint.t.destination.folder.path", "path_not_absolute")),
    ],
)
def test_a_mistake_is_told_with_its_path(item: dict[str, Any], expected: tuple[str, str]) -> None:
    """Each mistake is one problem, at the place where it was made."""
    assert wrong(**item) == [expected]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"url": "ftp://h"}, ("url", "not_a_url")),
        ({"url": "http:///x"}, ("url", "not_a_url")),
        ({"url": "http://h:99999/"}, ("url", "not_a_url")),
        ({"url": "http://h/\nx"}, ("url", "text_control")),
        ({"url": 1}, ("url", "wrong_type")),
        ({"method": "post"}, ("method", "not_a_method")),
        ({"headers": {"a b": "x"}}, ("headers.a b", "header_name")),
        ({"headers": {"A": "x\r\nB: y"}}, ("headers.A", "text_control")),
        ({"headers": {"Authorization": "x\r\nB: y"}}, ("headers.Authorization", "text_control")),
        ({"headers": {"A": 1}}, ("headers.A", "wrong_type")),
        ({"query": {"a": []}}, ("query.a", "wrong_type")),
        ({"auth": {"type": "digest"}}, ("auth.type", "not_one_of")),
        ({"auth": {"type": "bearer", "token": "t", "username": "u"}}, ("auth.username", "auth_unused")),
        ({"auth": {"type": "api_key", "key": "k", "name": "a b"}}, ("auth.name", "header_name")),
        ({"auth": {"type": "bearer"}}, ("auth", "missing_key")),
        ({"auth": {"token": "t"}}, ("auth", "missing_key")),
        ({"timeout": "0s"}, ("timeout", "out_of_range")),
        ({"timeout": 30}, ("timeout", "wrong_type")),
        ({"ca": "ca.pem"}, ("ca", "path_not_absolute")),
        ({"proxy": "socks5://h"}, ("proxy", "not_a_url")),
        ({"concurrency": 0}, ("concurrency", "out_of_range")),
        ({"concurrency": True}, ("concurrency", "wrong_type")),
        ({"sign": "not base64!"}, ("sign", "sign_malformed")),
        ({"path": HERE}, ("path", "unknown_key_similar")),
    ],
)
def test_a_mistake_in_an_http_destination_is_told(more: dict[str, Any], expected: tuple[str, str]) -> None:
    """Every key of an HTTP destination is checked."""
    problems = wrong(destination=[{"name": "erp", "kind": "http", "url": "http://h/", **more}])
    assert problems[0][0].removeprefix("touchpoint.t.destination.erp.") == expected[0]
    assert [code for _, code in problems] == [expected[1]]


def test_two_of_one_name_are_refused() -> None:
    """Names and aliases are unique over all touchpoints, destinations within theirs."""
    folder = {"kind": "folder", "path": HERE}
    a = {"name": "a", "provider": "github", "aliases": ["old"], "destination": [folder, folder]}
    _, problems = read(a, {"name": "old", "provider": "github"}, {"name": "a", "provider": "github"})
    assert problems == [
        ("touchpoint.a.destination.folder", "destination_name_taken"),
        ("touchpoint.old", "name_taken"),
        ("touchpoint.a", "name_taken"),
    ]


def test_problems_are_bounded() -> None:
    """A hostile file gets a hundred problems and a word that there are more."""
    reading = Reading()
    read_touchpoints([{f"key{number}": 1 for number in range(1000)}], {}, reading)
    assert len(reading.problems) == MOST_PROBLEMS + 1
    assert reading.problems[-1].code == "more_problems"


def test_too_many_are_refused() -> None:
    """Lists of touchpoints and destinations have an end."""
    assert read(*[{}] * 1001)[1] == [("touchpoint", "list_too_long")]
    assert wrong(destination=[{}] * 51) == [("touchpoint.t.destination", "list_too_long")]


KEYS = st.sampled_from(
    [
        "name",
        "kind",
        "provider",
        "secrets",
        "verify",
        "dedup",
        "retry",
        "schedule",
        "key",
        "destination",
        "url",
        "headers",
        "auth",
        "type",
        "path",
        "scheme",
    ]
)
WORDS = st.sampled_from(
    ["generic", "shopify", "http", "folder", "hmac", "token", "http://[", "body", "10s", "basic", "\ud800", "stored:0", "/x"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times()
    | WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_no_document_breaks_the_reading(value: Any) -> None:
    """Whatever stands there is read to its end; what is wrong becomes problems that can be printed."""
    reading = Reading()
    read_touchpoints(value, {}, reading)
    read_touchpoints(
        [
            value,
            {"name": "a", "provider": "generic", "verify": value, "destination": [value, {"kind": "http", "headers": value}]},
        ],
        {},
        reading,
    )
    assert all(str(problem).encode("ascii", "backslashreplace") for problem in reading.problems)
