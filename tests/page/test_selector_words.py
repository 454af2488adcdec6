"""Selectors in words."""

import pytest

from touchpoints.provider import providers
from web.page.selector_words import in_words


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (
            "header:x-shopify-webhook-id|header:shopify-webhook-id",
            "the header X-Shopify-Webhook-Id, or the header Shopify-Webhook-Id",
        ),
        ("json:/id", "id in the JSON body"),
        ("json:/order/a~1b~0", "order › a/b~ in the JSON body"),
        ("form:payload>/trigger_id", "trigger_id in the form field payload"),
        ("json:/value/*/clientState", "value › each › clientState in the JSON body"),
        ("json:/source+json:/id", "source in the JSON body and id in the JSON body"),
        ("xml:/Envelope/Id@type", "Envelope › Id › type in the XML body"),
        ("form:bt_payload>base64>xml:/notification/kind", "notification › kind in the form field bt_payload"),
        ("jwt:/data>/eventType", "eventType inside data in the token"),
        ("form:id", "the form field id"),
        ("query:id", "the URL's parameter id"),
        ("body", "the whole body"),
        ("none", ""),
        ("", ""),
    ],
)
def test_a_place_is_named_as_a_person_would(selector: str, words: str) -> None:
    """The raw form stands beside it."""
    assert in_words(selector) == words


def test_every_provider_tells_its_repeats_in_words() -> None:
    """No preset shows a raw selector."""
    for one in providers().values():
        assert ":" not in in_words(one.dedup_rule().key), one.name
