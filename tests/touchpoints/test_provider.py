"""The provider table: every file is whole, says what is true, and can be used as it stands."""

import tomllib
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.touchpoints.factory import NOW, URL, WHSEC, make_request, make_touchpoint
from touchpoints.ack import ACKS
from touchpoints.coverage import covers
from touchpoints.handshake import handshake_problem, methods_of
from touchpoints.moment import MINUTE
from touchpoints.pointer import tokens_of
from touchpoints.problem import ProblemError
from touchpoints.provider import GROUPS, Provider, provider, providers
from touchpoints.receive import read_out, receive
from touchpoints.request import Verified
from touchpoints.selector import Reading
from touchpoints.sign import sign, signed_body, signed_url
from touchpoints.split import split_body
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import needs_secret, secret_problem, selector_problem, verification_problem

PROMISED = """
shopify woocommerce bigcommerce adobe_commerce squarespace wix ecwid aws_sns ebay etsy walmart stripe paypal square adyen mollie
razorpay braintree klarna salesforce_om hubspot dataverse ms_graph azure_event_grid cloudevents xero quickbooks zoho freshdesk
zendesk slack github gitlab bitbucket meta twilio sendgrid mailgun zoom x dropbox okta docusign typeform calendly jira linear
notion asana trello intercom segment shipstation standard_webhooks svix sap netsuite prestashop generic
"""
FACTS = {"signature", "ids", "handshake", "ack", "retry"}
ONLY_SENDER = {"asymmetric", "jwt", "sns", "paypal", "ebay"}  # proved by a key that only the sender has
REPEATED = {"token", "basic"}  # a credential says nothing about what comes with it

PRESETS = [row for row in providers().values() if row.verify]
PRESET = pytest.mark.parametrize("row", PRESETS, ids=lambda row: row.name)
EVERY = pytest.mark.parametrize("row", providers().values(), ids=lambda row: row.name)


def _ways(row: Provider) -> tuple[Verification, ...]:
    return (row.verification(), *row.other_verifications())


def _words() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("provider_a", "provider_b"):
        table = tomllib.loads(files("web.page").joinpath(f"words/en/{name}.toml").read_text(encoding="utf-8"))
        assert not found.keys() & table.keys()
        found |= table
    return found


def _secret(row: Provider) -> str:
    """A secret of the form that the first way of proving takes, made up."""
    way = row.verification()
    match way.scheme, way.key:
        case (("basic" | "braintree" | "ebay"), _):
            return "public:private"
        case "adyen", _:
            return "00ff" * 16
        case _, "hex":
            return "00ff" * 16
        case _, "whsec":
            return WHSEC
        case _:
            return "a-secret-of-forty-characters-or-so-0123456"


def test_the_table_holds_the_promised_providers() -> None:
    """These and no others, by the names that a configuration writes."""
    assert providers().keys() == {*PROMISED.split()}
    assert [*providers()][-1] == "generic"
    assert len({row.label for row in providers().values()}) == len(providers())


@EVERY
def test_every_row_names_its_sources(row: Provider) -> None:
    """Every fact has a letter; a fact about a signature that nobody checked says so on the page."""
    assert row.sources
    assert all(len(source) > 4 for source in row.sources)
    assert {"signature", "ids"} <= row.confidence.keys() <= FACTS
    assert {*row.confidence.values()} <= {"A", "B", "C", "?"}
    assert bool(row.handshake) <= ("handshake" in row.confidence)
    assert {*row.unsure} == {fact for fact, letter in row.confidence.items() if letter in {"C", "?"}}


@EVERY
def test_every_row_can_be_shown(row: Provider) -> None:
    """Under a known heading, with the sender's own page, and with event types to choose from."""
    assert row.group in GROUPS
    assert urlsplit(row.link).scheme == "https"
    assert urlsplit(row.link).hostname
    assert len(row.types) <= 40
    assert len(set(row.types)) == len(row.types)
    assert not row.types or row.sample.event_type in row.types
    assert {*row.open} <= {"verify", "dedup", "credential"}


@EVERY
def test_every_row_has_words(row: Provider) -> None:
    """What to paste, where it is found, and the steps in the sender's settings, numbered."""
    words = _words()[row.name]

    assert {"secret", "where", "steps"} <= words.keys() <= {"secret", "where", "steps", "note"}
    assert list(words["steps"]) == [str(number) for number in range(1, len(words["steps"]) + 1)]
    for text in (words["secret"], words["where"], *words["steps"].values(), words.get("note", "x")):
        assert text.strip()
        assert not set("{}<>") & set(text)
    assert ("note" in words) >= (row.covers != "body")


def test_no_words_are_left_over() -> None:
    """Of a provider that is not in the table."""
    assert _words().keys() == providers().keys()


@PRESET
def test_a_preset_can_be_used_as_it_stands(row: Provider) -> None:
    """Its ways of proving, selectors, handshake, answer and list of items exist and fit each other."""
    for way in _ways(row):
        assert verification_problem(way) is None
    assert needs_secret(row.verification())
    assert [selector_problem(text) for text in (row.event_type, row.reference, row.dedup_rule().key)] == [None, None, None]
    assert handshake_problem(row.handshake) is None
    assert row.ack in ACKS
    assert row.items is None or tokens_of(row.items) is not None
    assert row.methods
    assert {*row.methods, *methods_of(row.handshake)} <= {"GET", "HEAD", "OPTIONS", "POST", "PUT"}
    assert secret_problem(row.verification(), _secret(row), alternatives=row.other_verifications()) is None or _is_public(row)


def _is_public(row: Provider) -> bool:
    return row.verification().scheme in ONLY_SENDER


@PRESET
def test_a_preset_says_truly_whether_its_dedup_key_is_signed(row: Provider) -> None:
    """One that is said to be signed is, by every way of proving; one that is not costs a second look at the body."""
    rule = row.dedup_rule()
    if rule.key and rule.signed:
        assert all(covers(way, rule.key) for way in _ways(row))
    # A list of events that have ids is never the same twice; any other body may rightly be.
    assert "body" not in rule.key.split("|") or rule.window <= 10 * MINUTE or row.items is not None


def _covered(row: Provider, way: Verification) -> str:
    if way.scheme in REPEATED:
        return "nothing"
    if way.scheme == "paypal":
        return "checksum"
    read = [text for text in (row.event_type, row.reference) if text]
    return "body" if covers(way, "body") or all(covers(way, text) for text in read) else "fields"


@PRESET
def test_a_preset_says_truly_what_its_proof_covers(row: Provider) -> None:
    """By its first way, or by a weaker one; where they differ the note tells."""
    levels = [_covered(row, way) for way in _ways(row)]
    assert row.covers == levels[0] or (row.covers in levels and row.covers != "body")
    assert len(set(levels)) == 1 or "note" in _words()[row.name]


def _sent(touchpoint: Touchpoint, row: Provider) -> Any:
    url = signed_url(touchpoint, URL)
    body = signed_body(touchpoint, row.sample.body.encode(), NOW, "msg_1")
    headers = sign(touchpoint, body, (), NOW, url, "msg_1")
    return receive(make_request(body, headers, url=url, target=url.partition("8420")[2]), touchpoint)


@PRESET
def test_a_sample_proves_itself(row: Provider) -> None:
    """Signed as its sender signs, it is an event of its type; what only the sender can sign is refused in words."""
    touchpoint = make_touchpoint(row.name, _secret(row))
    if all(way.scheme in ONLY_SENDER for way in _ways(row)):
        with pytest.raises(ProblemError) as caught:
            _sent(touchpoint, row)
        assert [one.code for one in caught.value.problems] == ["test_unsignable"]
        return
    received = _sent(touchpoint, row)
    assert isinstance(received, Verified), received
    assert received.event_type == row.sample.event_type
    assert bool(received.reference) == bool(row.reference) or row.sample.event_type == "ping"


SPLIT = [row for row in PRESETS if row.items is not None]


@pytest.mark.parametrize("row", SPLIT, ids=lambda row: row.name)
def test_an_item_of_a_split_body_is_read_as_its_whole(row: Provider) -> None:
    """Each selector stands for an item of the list, too: its type is the sample's, or the end of it."""
    touchpoint = make_touchpoint(row.name, _secret(row))
    items = split_body(row.sample.body.encode(), row.items or "") or [row.sample.body.encode()]  # a single event is its item
    for item in items:
        received = read_out(Reading(make_request(item)), touchpoint, 0)
        assert received.event_type
        assert row.sample.event_type.endswith(received.event_type)
        assert bool(received.reference) == bool(row.reference)


def test_generic_opens_every_field() -> None:
    """Its verification is the configuration's alone."""
    assert {"verify", "dedup"} <= set(provider("generic").open)
    assert provider("generic").verification(signature="header:x", prefix="v1=").prefix == "v1="
    with pytest.raises(TypeError):
        provider("generic").verification(colour="red")
