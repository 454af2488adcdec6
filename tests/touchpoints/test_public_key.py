"""Public keys as people paste them, and what they prove."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.keys import (
    Private,
    certificate,
    der,
    ec_key,
    ed_key,
    pem,
    private_pem,
    rsa_key,
    signature,
    spki,
    whpk,
)
from touchpoints.public_key import ALGORITHMS, FORMS, der_of, is_private, key_of, prepared, proves

KEYS: dict[str, Private] = {
    "rsa-sha256": rsa_key(),
    "rsa-sha1": rsa_key(),
    "rsa-pss-sha256": rsa_key(),
    "ecdsa-sha256": ec_key(),
    "ecdsa-sha1": ec_key(),
    "ed25519": ed_key(),
}
DATA = b"what was signed"


def test_every_algorithm_is_tried_here() -> None:
    """A new one needs its key."""
    assert KEYS.keys() == ALGORITHMS.keys()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_only_the_key_the_data_and_the_algorithm_of_a_signature_prove_it(algorithm: str) -> None:
    """Also when the data comes in pieces. No key of another kind, and no other algorithm, proves anything."""
    key = KEYS[algorithm]
    mark = signature(algorithm, key, DATA)

    assert proves(algorithm, der(key), mark, prepared(algorithm, [DATA]))
    assert proves(algorithm, der(key), mark, prepared(algorithm, [DATA[:4], b"", DATA[4:]]))
    assert not proves(algorithm, der(key), mark, prepared(algorithm, [DATA + b" "]))
    assert not proves(algorithm, der(key), mark[:-1] + bytes([mark[-1] ^ 1]), prepared(algorithm, [DATA]))
    assert not proves(algorithm, der(key), b"", prepared(algorithm, [DATA]))
    others: list[Private] = [rsa_key("other"), ec_key("other"), ed_key("other")]
    for other in others:
        assert not proves(algorithm, der(other), mark, prepared(algorithm, [DATA]))
    for another in ALGORITHMS.keys() - {algorithm}:
        assert not proves(another, der(key), mark, prepared(another, [DATA])), another


def test_the_forms_that_people_paste() -> None:
    """PEM with line ends of every kind or none, a certificate, Base64 alone, and Standard Webhooks' own."""
    for key in (rsa_key(), ec_key(), ed_key()):
        text = pem(key)
        wanted = der(key)
        for written in (
            text,
            f"\n {text} \n",
            text.replace("\n", "\r\n"),
            text.replace("\n", "\\n"),
            text.replace("\n", ""),
            certificate(key),
        ):
            assert der_of("pem", written) == wanted, written
            assert der_of("spki", written) == wanted, written
        assert der_of("spki", spki(key)) == wanted
        assert der_of("spki", spki(key)[:40] + "\n" + spki(key)[40:] + "\n") == wanted
    assert der_of("whpk", whpk(ed_key())) == der(ed_key())
    assert der_of("whpk", whpk(ed_key()).rstrip("=")) == der(ed_key())


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_such_key_is_none(form: str) -> None:
    """A private key, another form, two at once, and rubbish."""
    whole = pem(rsa_key())
    wrong = [
        "",
        "x",
        "whpk_",
        "whpk_AAAA",
        "whpk_" + "A" * 3000,
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----",
        whole.replace("PUBLIC", "CERTIFICATE", 1),
        whole + whole,
        "x" + whole,
        private_pem(rsa_key()),
        base64.b64encode(b"no key").decode(),
        "é" + spki(ec_key()),
        "A" * 100_000,
    ]
    for text in wrong:
        assert der_of(form, text) is None, text[:60]


def test_keys_that_nobody_signs_webhooks_with_are_none() -> None:
    """Too short, of another curve, or of another kind."""
    kinds: list[Any] = [
        rsa_key(bits=1024),
        rsa.generate_private_key(public_exponent=65537, key_size=2048 - 64),
        ec.generate_private_key(ec.SECP384R1()),
        dsa.generate_private_key(2048),
        x25519.X25519PrivateKey.generate(),
    ]
    for key in kinds:
        assert key_of(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) is None


def test_a_private_key_is_known_as_one() -> None:
    """Of every kind, wherever it stands in the text."""
    traditional = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    for text in (
        private_pem(rsa_key()),
        private_pem(ed_key()),
        traditional.decode(),
        " whsk_abc",
        f"{pem(ec_key())}{private_pem(ec_key())}",
    ):
        assert is_private(text)
    for text in (pem(rsa_key()), whpk(ed_key()), "secret", "my whsk_ is elsewhere"):
        assert not is_private(text)


@given(text=st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()), form=st.sampled_from(sorted(FORMS)))
def test_no_text_raises(text: str, form: str) -> None:
    """Nor is it taken for a key by chance."""
    assert der_of(form, text) is None


@given(algorithm=st.sampled_from(sorted(ALGORITHMS)), key=st.binary(max_size=300), mark=st.binary(max_size=300))
def test_no_bytes_raise(algorithm: str, key: bytes, mark: bytes) -> None:
    """Nor do they prove anything."""
    assert not proves(algorithm, key, mark, prepared(algorithm, [DATA]))
    assert not proves(algorithm, der(KEYS[algorithm]), mark, prepared(algorithm, [DATA]))
