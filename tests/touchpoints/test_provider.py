"""The provider table."""

import pytest

from touchpoints import handshake
from touchpoints.handshake import AFTER, BEFORE
from touchpoints.provider import Provider, provider, providers
from touchpoints.verification import covers, needs_secret, selector_problem, verification_problem

PRESETS = [row for row in providers().values() if row.verify]


def test_the_table_holds_the_promised_providers() -> None:
    """The names are those a configuration writes."""
    promised = {"shopify", "woocommerce", "stripe", "github", "standard_webhooks", "svix", "slack", "generic"}

    assert promised <= providers().keys()
    assert provider("shopify").label == "Shopify"


@pytest.mark.parametrize("row", PRESETS, ids=lambda row: row.name)
def test_a_preset_can_be_used_as_it_stands(row: Provider) -> None:
    """Its verification, selectors and handshake exist and fit each other."""
    assert verification_problem(row.verification()) is None
    assert needs_secret(row.verification())
    assert [selector_problem(text) for text in (row.event_type, row.reference, row.dedup_rule().key)] == [None, None, None]
    assert not row.handshake or row.handshake.partition(":")[0] in handshake.BEFORE | handshake.AFTER
    assert row.methods
    assert set(row.methods) <= {"GET", "HEAD", "OPTIONS", "POST", "PUT"}


@pytest.mark.parametrize("row", PRESETS, ids=lambda row: row.name)
def test_a_preset_says_truly_whether_its_dedup_key_is_signed(row: Provider) -> None:
    """Written by hand in the table, computed from what the signature covers."""
    assert row.dedup_rule().signed == covers(row.verification(), row.dedup_rule().key)


@pytest.mark.parametrize("row", providers().values(), ids=lambda row: row.name)
def test_every_row_names_its_sources(row: Provider) -> None:
    """A fact about a signature or an id is checked in a source, or is not in the table."""
    assert row.sources
    assert {row.confidence["signature"], row.confidence["ids"]} <= {"A", "B"}
    assert row.sample.body
    assert row.sample.event_type


def test_generic_opens_every_field() -> None:
    """Its verification is the configuration's alone."""
    assert {"verify", "dedup"} <= set(provider("generic").open)
    assert provider("generic").verification(signature="header:x", prefix="v1=").prefix == "v1="
    with pytest.raises(TypeError):
        provider("generic").verification(colour="red")


def test_handshakes_have_one_moment_each() -> None:
    """A handshake is answered before verification or after it, never both."""
    assert not BEFORE.keys() & AFTER.keys()
