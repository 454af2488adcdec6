"""The form of what people enter for verifications by public keys."""

import pytest

from tests.touchpoints.keys import ec_key, ed_key, pem, private_pem, rsa_key, spki, whpk
from touchpoints.provider import provider
from touchpoints.touchpoint import Verification
from touchpoints.verification import secret_problem

ANY = "published:jwks"


def verification(scheme: str, key: str = "", algorithm: str = "RS256") -> Verification:
    return Verification(scheme=scheme, key=key, algorithm=algorithm)


GOOD = [
    (verification("asymmetric", "pem"), pem(rsa_key())),
    (verification("asymmetric", "spki"), spki(ec_key())),
    (verification("asymmetric", "whpk"), whpk(ed_key())),
    (verification("asymmetric", ANY), "client-1"),
    (verification("jwt", "pem"), pem(rsa_key())),
    (verification("jwt", "utf8", "HS256"), "x" * 32),
    (verification("jwt", ANY), "audience"),
    (verification("sns"), "arn:aws:sns:eu-west-1:123456789012:orders"),
    (verification("paypal"), "8PT597110X687430LKGECATA"),
    (verification("ebay"), "Shop-App-PRD-1:PRD-secret"),
]


@pytest.mark.parametrize(("verification", "secret"), GOOD, ids=range(len(GOOD)))  # the keys are made anew each time
def test_the_right_form_is_taken(verification: Verification, secret: str) -> None:
    """Each scheme's own."""
    assert secret_problem(verification, secret) is None


@pytest.mark.parametrize("verification", [one for one, _ in GOOD])
@pytest.mark.parametrize("secret", ["", " ", "\u2603" * 3])
def test_another_form_is_told_in_words_without_the_secret(verification: Verification, secret: str) -> None:
    """Nothing is stored that could never prove anything."""
    if secret.strip() and verification.key == ANY:
        assert secret_problem(verification, secret) is None
        return
    found = secret_problem(verification, secret, path="touchpoint.orders.secrets[0]")
    assert found is not None
    assert found.code == "secret_malformed"
    assert found.path == "touchpoint.orders.secrets[0]"
    assert "{" not in str(found)
    assert not secret.strip() or secret not in str(found)


@pytest.mark.parametrize("verification", [one for one, _ in GOOD])
def test_a_private_key_is_refused_by_a_name_of_its_own(verification: Verification) -> None:
    """Whoever has it can sign: it must not lie about here."""
    for secret in (private_pem(rsa_key()), private_pem(ed_key()), "whsk_MC4CAQ", pem(rsa_key()) + private_pem(rsa_key())):
        found = secret_problem(verification, secret)
        assert found is not None
        assert found.code == "secret_private_key"


def test_a_private_key_is_known_beside_a_shared_secret() -> None:
    """Where a provider has both: the shared secret's form takes whatever is no public key."""
    preset = provider("standard_webhooks")
    for secret in ("whsk_MC4CAQ", private_pem(ed_key())):
        found = secret_problem(preset.verification(), secret, alternatives=preset.other_verifications())
        assert found is not None
        assert found.code == "secret_private_key"


def test_a_short_secret_of_a_token_is_refused() -> None:
    """RFC 7518, section 3.2: a shorter one could be guessed from one token."""
    found = secret_problem(verification("jwt", "utf8", "HS512"), "x" * 63)
    assert found is not None
    assert "64" in found.mend
    assert secret_problem(verification("jwt", "utf8", "HS512|HS256"), "x" * 32) is None


def test_the_presets_take_what_their_providers_show() -> None:
    """By the verification of each file."""
    assert secret_problem(provider("sendgrid").verification(), spki(ec_key())) is None
    assert secret_problem(provider("aws_sns").verification(), "orders") is not None
