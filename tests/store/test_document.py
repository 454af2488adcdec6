"""Documents: parsed, merged, compared, written again."""

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.configuration import Change
from store.document import LARGEST, compare, made_absolute, merge, parse, to_toml
from touchpoints.problem import ProblemError

STORED: dict[str, Any] = {
    "agent": {"port": 8420, "trusted_proxies": ["10.0.0.1"]},
    "touchpoint": [
        {
            "name": "a",
            "provider": "github",
            "aliases": ["was-a"],
            "secrets": ["stored:1"],
            "destination": [
                {
                    "name": "http",
                    "kind": "http",
                    "url": "http://x",
                    "headers": {"X-Token": "stored:2", "X-A": "1"},
                    "sign": "stored:3",
                },
                {"name": "in", "kind": "folder", "path": "/in"},
            ],
        },
        {"name": "b", "provider": "shopify", "destination": []},
    ],
}


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"[agent]\nport = \n", "toml_syntax", "line 2"),
        (b"a = 1\na = 2\n", "toml_syntax", "line 2"),
        (b"a = [" + b"[" * 100_000, "toml_syntax", "hold"),
        (b"a = " + b"9" * 10_000, "toml_syntax", "hold"),
        (b"a = 2026-99-99\n", "toml_syntax", "TOML"),
        (b"a = 1\nb = '\xff'\n", "document_not_utf8", "line 2"),
        (b"#" * (LARGEST + 1), "document_too_large", "KiB"),
        (b"a" + b".a" * 5_000 + b" = 1", "document_too_deep", "levels"),
    ],
)
def test_what_is_no_document_is_told(content: bytes, code: str, words: str) -> None:
    """Hostile content is one problem in words, and never another error."""
    with pytest.raises(ProblemError) as caught:
        parse(content)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert words in str(caught.value)


BOMB = "a" + ".a" * 300_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB} = 1",
        f"[{BOMB}]",
        f"[[{BOMB}]]",
        "a" + " . \"a\" . '[,]'" * 50_000 + " = 1",
        f'x = {{y = """a"""", {BOMB} = 1}}',
        f"x = {{y = '''a''''', {BOMB} = 1}}",
        f'x = "\\"" # "\n{BOMB} = 1',
        f'x = """\\"""" # """\n{BOMB} = 1',
    ],
)
def test_a_name_without_end_is_refused_before_it_is_parsed(text: str) -> None:
    """TOML's parser takes quadratic time for dotted names: half a megabyte of them would stop the listener for hours."""
    with pytest.raises(ProblemError) as caught:
        parse(text.encode())
    assert caught.value.problems[0].code == "document_too_deep"


def test_dots_in_texts_and_lists_are_no_names() -> None:
    """Addresses, texts and comments may hold as many dots as they like."""
    networks = [f"10.0.{n}.0/24" for n in range(200)]
    text = f'# {BOMB[:999]}\nnetworks = {networks}\nnote = """{"." * 99}"""\nnumbers = [{"1.5, " * 99}]\n'
    assert parse(text.encode())["networks"] == networks


def test_a_byte_order_mark_is_passed_over() -> None:
    """Windows editors write one."""
    assert parse(b"\xef\xbb\xbf[agent]\r\nport = 1\r\n") == {"agent": {"port": 1}}


def test_keys_merge_and_lists_are_replaced() -> None:
    """What is left out stays; a list is one value."""
    merged = merge(STORED, {"agent": {"trusted_proxies": ["::1"]}, "page": {"hosts": ["x"]}}, prune=False)
    assert merged["agent"] == {"port": 8420, "trusted_proxies": ["::1"]}
    assert merged["page"] == {"hosts": ["x"]}
    assert merged["touchpoint"] == STORED["touchpoint"]


def test_touchpoints_and_destinations_merge_by_name() -> None:
    """A name that is there is changed, a new one is added, and a destination without a name is called by its kind."""
    new = {
        "touchpoint": [
            {"name": "c"},
            {"name": "a", "state": "hold", "destination": [{"kind": "http", "url": "http://y"}, {"kind": "folder"}]},
        ]
    }
    merged = merge(STORED, new, prune=False)
    assert [item["name"] for item in merged["touchpoint"]] == ["a", "b", "c"]
    a = merged["touchpoint"][0]
    assert (a["state"], a["secrets"]) == ("hold", ["stored:1"])
    assert [item["name"] for item in a["destination"]] == ["http", "in", "folder"]
    assert a["destination"][0] == {**STORED["touchpoint"][0]["destination"][0], "url": "http://y"}


def test_prune_keeps_the_passphrase_of_backups_whatever_the_file_says_of_them() -> None:
    """They are made anyway: without it they would hold no key from then on, and nobody had said so."""
    stored = {"backup": {"passphrase": "stored:0123456789abcdef", "keep": 3}}
    kept = {"passphrase": "stored:0123456789abcdef"}
    assert merge(stored, {}, prune=True)["backup"] == kept
    assert merge(stored, {"backup": {"at": "03:00"}}, prune=True)["backup"] == {**kept, "at": "03:00"}
    assert merge(stored, {"backup": {"passphrase": ""}}, prune=True)["backup"] == {"passphrase": ""}
    assert merge(stored, {"backup": 7}, prune=True)["backup"] == 7
    assert "backup" not in merge({}, {}, prune=True)


def test_prune_leaves_the_file_and_the_secrets() -> None:
    """All else that the file leaves out goes."""
    new = {"touchpoint": [{"name": "a", "provider": "github", "destination": [{"kind": "http", "url": "http://y"}]}]}
    assert merge(STORED, new, prune=True) == {
        "touchpoint": [
            {
                "name": "a",
                "provider": "github",
                "secrets": ["stored:1"],
                "destination": [
                    {"name": "http", "kind": "http", "url": "http://y", "headers": {"X-Token": "stored:2"}, "sign": "stored:3"}
                ],
            }
        ]
    }


def test_an_alias_finds_its_touchpoint() -> None:
    """A file may still call a touchpoint by an older name, or give it a new one and keep the old as alias."""
    old = merge(STORED, {"touchpoint": [{"name": "was-a", "state": "hold"}]}, prune=False)
    assert [(item["name"], item.get("state")) for item in old["touchpoint"]] == [("a", "hold"), ("b", None)]
    emptied = merge(STORED, {"touchpoint": [{"name": "was-a", "aliases": []}]}, prune=False)
    assert [(item["name"], item.get("aliases")) for item in emptied["touchpoint"]] == [("a", ["was-a"]), ("b", None)]
    back = merge(STORED, {"touchpoint": [{"name": "was-a", "aliases": ["a"]}]}, prune=False)
    assert [(item["name"], item.get("aliases")) for item in back["touchpoint"]] == [("was-a", ["a"]), ("b", None)]
    new = merge(STORED, {"touchpoint": [{"name": "now-a", "aliases": ["a"]}]}, prune=False)
    assert [(item["name"], item.get("secrets")) for item in new["touchpoint"]] == [("now-a", ["stored:1"]), ("b", None)]


def test_a_name_twice_in_one_file_stays_twice() -> None:
    """The second one isn't lost in the merge, so that the reading tells."""
    merged = merge(STORED, {"touchpoint": [{"name": "b"}, {"name": "b"}]}, prune=False)
    assert [item["name"] for item in merged["touchpoint"]] == ["a", "b", "b"]


def test_changes_are_named_without_values() -> None:
    """A comparison gives paths by name, and what happened there."""
    new = deepcopy(STORED)
    new["agent"] = {"port": 1, "listen": "::"}
    new["touchpoint"][0]["destination"][0]["headers"]["X-Token"] = "stored:9"
    assert compare(STORED, new) == (
        Change(path="agent.port", what="changed"),
        Change(path="agent.listen", what="added"),
        Change(path="touchpoint.a.destination.http.headers.X-Token", what="changed"),
        Change(path="agent.trusted_proxies", what="removed"),
    )


def test_certificates_are_named_from_the_file(tmp_path: Path) -> None:
    """Relative certificate and CA files are relative to the configuration file; an empty one stays empty."""
    files = {"tls_key": "k.pem", "tls_certificate": "", "tls_client_ca": "senders.pem"}
    document = {"agent": files, "page": dict(files), "touchpoint": [{"destination": [{"ca": "ca.pem"}, 3]}, 4]}
    ours = {"tls_key": str(tmp_path / "k.pem"), "tls_certificate": ""}
    assert made_absolute(document, tmp_path) == {
        "agent": {**ours, "tls_client_ca": str(tmp_path / "senders.pem")},
        "page": {**ours, "tls_client_ca": "senders.pem"},
        "touchpoint": [{"destination": [{"ca": str(tmp_path / "ca.pem")}, 3]}, 4],
    }


def test_toml_is_read_back_as_it_was() -> None:
    """Written TOML holds the document; defaults are only comments."""
    text = to_toml(STORED)
    expected = deepcopy(STORED)
    del expected["touchpoint"][1]["destination"]
    bare: dict[str, Any] = {section: {} for section in ("proxy", "limits", "retention", "page", "alerts", "backup")}
    assert tomllib.loads(text) == {**expected, **bare}
    assert '# body = "25MiB"' in text


NAMES = st.sampled_from(["a", "b", "c", "was-a"])
DESTINATIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"kind": st.sampled_from(["http", "folder"])}, optional={"name": NAMES, "url": st.sampled_from(["http://1", "http://2"])}
)
TOUCHPOINTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "provider": st.sampled_from(["github", "generic"]),
        "aliases": st.lists(NAMES, max_size=2),
        "verify": st.dictionaries(st.sampled_from(["scheme", "header"]), st.just("x")),
        "destination": st.lists(DESTINATIONS, max_size=3, unique_by=lambda item: item.get("name") or item["kind"]),
    },
)
DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "agent": st.dictionaries(st.sampled_from(["port", "mode"]), st.integers(0, 3)),
        "touchpoint": st.lists(TOUCHPOINTS, max_size=3, unique_by=lambda item: item["name"]),
    },
)


@given(DOCUMENTS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_merging_twice_is_merging_once(document: dict[str, Any], prune: bool) -> None:
    """A file applied again changes nothing, as long as its touchpoints don't claim each other's names."""
    names = [name for item in document.get("touchpoint", []) for name in {item["name"], *item.get("aliases", [])}]
    if len(names) == len(set(names)):
        once = merge(STORED, document, prune=prune)
        assert merge(once, document, prune=prune) == once


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "aliases", "destination", "kind", "headers", "auth", "provider"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(VALUES, VALUES, st.booleans())
@settings(max_examples=300, deadline=None)
def test_wrong_values_are_carried_along(section: Any, touchpoint: Any, prune: bool) -> None:
    """No shape of a document breaks the merge or the comparison, nor changes what is stored."""
    before = deepcopy(STORED)
    for new in (
        {"agent": section, "touchpoint": touchpoint},
        {"touchpoint": [touchpoint, {"name": "a", "destination": section, "aliases": touchpoint}]},
    ):
        merged = merge(STORED, made_absolute(new, Path()), prune=prune)
        assert compare(STORED, merged) is not None
        assert before == STORED
