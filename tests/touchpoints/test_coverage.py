"""What a proof vouches for."""

import pytest

from touchpoints.coverage import covers
from touchpoints.provider import provider, providers
from touchpoints.touchpoint import Verification

ITEMS = "json:/notificationItems/*/NotificationRequestItem"
HASH = Verification(scheme="hash_prefix", signature="header:x", signed="{secret}{method}{url}{body}")
WALMART = Verification(signature="header:x", signed="{method}\n{path_query}\n{sha256hex_body}")
MAILGUN = Verification(signature="json:/s/s", signed="{json:/s/t}{json:/s/token}")


@pytest.mark.parametrize(
    ("verification", "key", "covered"),
    [
        (Verification(signature="header:x"), "json:/id", True),
        (Verification(signature="header:x"), "json:/a+json:/b", True),
        (Verification(signature="header:x"), "json:/a+header:b", False),
        (Verification(signature="header:x"), "json:/a+const:b", True),
        (Verification(signature="header:x"), "xml:/a/b|jwt:/a", True),
        (Verification(signature="header:x"), "json:/*/id", True),
        (Verification(signature="header:x"), "header:x>base64>/id", False),
        (Verification(signature="header:x"), "body", True),
        (Verification(signature="header:x"), "header:id", False),
        (Verification(signature="header:x"), "query:id", False),
        (Verification(signature="header:x"), "json:/id|header:id", False),
        (Verification(signature="header:x"), "", True),
        (Verification(signature="header:x", signed="{url}{body}"), "query:id", True),
        (Verification(signature="header:x", signed="{url_decoded}{body}"), "query:id", True),
        (Verification(signature="header:x", signed="{header:Id}{body}"), "header:id", True),
        (Verification(signature="header:x", signed="{header:Id}{body}"), "header:id+json:/a", True),
        (Verification(signature="header:x", signed="{json:/Id}"), "json:/id", False),
        (Verification(signature="header:x", signed="{json:/id}"), "json:/id", True),
        (Verification(signature="header:x", signed="{json:/id}"), "json:/id>/inner", False),
        (Verification(signature="header:x", signed="{json:/id}"), "body", False),
        (provider("svix").verification(), "header:svix-id|header:webhook-id", True),
        (provider("svix").verification(), "header:webhook-id|header:svix-id", False),
        (MAILGUN, "json:/s/token", True),
        (MAILGUN, "json:/s/t+json:/s/token", True),
        (MAILGUN, "json:/event/id", False),
        (WALMART, "json:/id|query:id", True),
        (WALMART, "header:id", False),
        (HASH, "json:/id|query:id", True),
        (HASH, "header:id", False),
        (Verification(scheme="asymmetric", signed="{ts}{body}"), "json:/id", True),
        (Verification(scheme="asymmetric", signed="{ts}{body}"), "header:id", False),
        (Verification(scheme="jwt", credential="body"), "jwt:/data>/id|body", True),
        (Verification(scheme="jwt", credential="body"), "header:id", False),
        (Verification(scheme="jwt", credential="header:authorization"), "header:id", True),
        (Verification(scheme="twilio"), "form:MessageSid|query:a", True),
        (Verification(scheme="twilio"), "header:i-twilio-idempotency-token", False),
        (Verification(scheme="adyen"), f"{ITEMS}/pspReference+{ITEMS}/eventCode", True),
        (Verification(scheme="adyen"), "json:/notificationItems/0/NotificationRequestItem/amount/value", True),
        (Verification(scheme="adyen"), f"{ITEMS}/eventDate", False),
        (Verification(scheme="adyen"), f"{ITEMS}/amount", False),
        (Verification(scheme="adyen"), "json:/NotificationRequestItem/pspReference", False),
        (Verification(scheme="adyen"), "body", False),
        (Verification(scheme="braintree"), "form:bt_payload>base64>xml:/notification/timestamp", True),
        (Verification(scheme="braintree"), "form:other", False),
        (Verification(scheme="braintree"), "body", False),
        (Verification(scheme="sns"), "json:/MessageId", True),
        (Verification(scheme="sns"), "json:/Message>/id", True),
        (Verification(scheme="sns"), "json:/Other", False),
        (Verification(scheme="paypal"), "json:/id", False),
        (Verification(scheme="paypal"), "header:PayPal-Transmission-Id", True),
        (Verification(scheme="ebay"), "json:/notification/notificationId", True),
        (Verification(scheme="ebay"), "header:id", False),
        (Verification(scheme="basic"), "header:id", True),
        (Verification(scheme="token", credential="header:x"), "json:/id", True),
        (Verification(scheme="none", allow_unsigned=True), "body", False),
        (Verification(scheme="none", allow_unsigned=True), "", False),
    ],
)
def test_what_a_proof_vouches_for(verification: Verification, key: str, covered: bool) -> None:
    """A dedup key outside the proof is one that a stranger could change."""
    assert covers(verification, key) is covered


@pytest.mark.parametrize("name", providers())
def test_no_provider_is_said_to_cover_more_than_it_does(name: str) -> None:
    """Its own key is signed only where each of its verifications signs it."""
    preset = providers()[name]
    if preset.dedup.get("key") and preset.dedup_rule().signed:
        assert all(covers(one, preset.dedup_rule().key) for one in (preset.verification(), *preset.other_verifications()))
