"""From tables to touchpoints."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchpoints.definition import read_touchpoints
from touchpoints.definition_setting import MOST_PROBLEMS, Reading
from touchpoints.moment import DAY, MINUTE, SECOND
from touchpoints.touchpoint import (
    STANDARD_SCHEDULE,
    Auth,
    Dedup,
    FolderDestination,
    HttpDestination,
    Touchpoint,
    TouchpointState,
)

HERE = str(Path("/srv/in").absolute())  # with a drive, where there are drives


def read(*items: Any, ids: dict[tuple[str, ...], int] | None = None) -> tuple[tuple[Touchpoint, ...], list[tuple[str, str]]]:
    reading = Reading()
    found = read_touchpoints(list(items), ids or {}, reading)
    return found, [(problem.path, problem.code) for problem in reading.problems]


def one(**item: Any) -> Touchpoint:
    found, problems = read({"name": "t", "provider": "shopify", "secrets": ["s3cret"], **item})
    assert problems == []
    return found[0]


def generic(**verify: Any) -> Touchpoint:
    return one(provider="generic", verify=verify)


def wrong(**item: Any) -> list[tuple[str, str]]:
    return read({"name": "t", "provider": "shopify", "secrets": ["s3cret"], **item})[1]


def test_a_preset_brings_all_that_is_left_out() -> None:
    """A touchpoint with a name, a provider and a secret is complete."""
    found = one()
    assert found.state is TouchpointState.RUNNING
    assert found.verification.encoding == "base64"
    assert found.dedup.key.startswith("header:x-shopify-webhook-id")
    assert found.retry.schedule == STANDARD_SCHEDULE
    assert found.methods == ("POST",)


def test_ids_come_from_what_is_stored() -> None:
    """Stored touchpoints and destinations keep their ids; new ones have none yet."""
    item = {
        "name": "a",
        "provider": "github",
        "destination": [{"kind": "folder", "path": HERE}, {"kind": "http", "url": "http://h"}],
    }
    found, problems = read(item, {"name": "b", "provider": "github"}, ids={("a",): 7, ("a", "folder"): 9})
    assert not problems
    assert [touchpoint.id for touchpoint in found] == [7, 0]
    assert [destination.id for destination in found[0].destinations] == [9, 0]


def test_a_touchpoint_without_its_secret_is_in_setup() -> None:
    """Setup is derived from running; hold and disabled are a person's word, and an unsigned touchpoint needs no secret."""
    assert one(secrets=[]).state is TouchpointState.SETUP
    assert one(secrets=[], state="hold").state is TouchpointState.HOLD
    assert one(secrets=[], state="disabled").state is TouchpointState.DISABLED
    assert one(provider="generic", secrets=[], verify={"allow_unsigned": True}).state is TouchpointState.RUNNING


def test_generic_opens_every_field() -> None:
    """The fields of [touchpoint.verify] become the verification."""
    found = generic(
        scheme="hmac",
        header="X-Sig",
        algorithm="sha512",
        encoding="base64",
        prefix="v1=",
        signed="{ts}.{body}",
        timestamp="header:X-Time:s",
        tolerance="1m",
    ).verification
    assert (found.signature, found.algorithm, found.encoding, found.prefix) == ("header:X-Sig", "sha512", "base64", "v1=")
    assert (found.signed, found.timestamp, found.tolerance) == ("{ts}.{body}", "header:X-Time:s", MINUTE)


def test_a_header_is_where_a_token_stands() -> None:
    """For the scheme token, header names the credential's place; credential takes any selector."""
    assert generic(scheme="token", header="X-Token").verification.credential == "header:X-Token"
    found = one(provider="generic", verify={"scheme": "token"}, credential="query:code")
    assert found.verification.credential == "query:code"


def test_dedup_keys_say_whether_the_signature_covers_them() -> None:
    """A key within the body is signed, a header beside it is not; a whole body is only remembered for minutes."""
    verify = {"scheme": "hmac", "header": "X-Sig"}
    keys = {
        key: one(provider="generic", verify=verify, dedup={"key": key}).dedup
        for key in ("json:/id", "header:X-Id", "body", "none")
    }
    assert keys["json:/id"] == Dedup(key="json:/id", signed=True, window=14 * DAY)
    assert keys["header:X-Id"] == Dedup(key="header:X-Id", signed=False, window=14 * DAY)
    assert keys["body"] == Dedup(key="body", signed=True, window=10 * MINUTE)
    assert keys["none"] == Dedup()


def test_destinations_are_typed() -> None:
    """Each kind takes its own keys, and a name left out is the kind."""
    http = {
        "kind": "http",
        "url": "https://erp/x",
        "headers": {"X-A": "1", "X-Gone": ""},
        "timeout": "5s",
        "auth": {"type": "bearer", "token": "tok"},
    }
    found = one(destination=[http, {"name": "in", "kind": "folder", "path": HERE, "metadata": True}]).destinations
    assert found == (
        HttpDestination(
            id=0,
            name="http",
            url="https://erp/x",
            headers=(("X-A", "1"),),
            timeout=5 * SECOND,
            auth=Auth(kind="bearer", secret="tok", name="X-API-Key"),
        ),
        FolderDestination(id=0, name="in", path=HERE, metadata=True),
    )


def test_retry_schedules_are_replaced_whole() -> None:
    """A written schedule stands instead of the default."""
    assert one(retry={"schedule": ["1s", "1m"]}).retry.schedule == (SECOND, MINUTE)


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
