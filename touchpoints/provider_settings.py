"""Which settings a touchpoint of a provider has beside its name and where it goes: what the page asks, and scripts may set."""

from touchpoints.provider import Provider
from touchpoints.template import template
from touchpoints.touchpoint import Verification
from touchpoints.verification import needs_secret

_TOKEN_KINDS = frozenset({"echo_query_if_token", "sha256_concat"})  # handshakes that a token of their own goes into
_URL_KINDS = frozenset({"sha256_concat"})  # handshakes whose answer the endpoint URL goes into
_URL_HOLES = frozenset({"url", "url_decoded", "path_query"})
TEMPLATED = frozenset({"hmac", "hash_prefix", "asymmetric"})  # schemes that sign by a template
_URL_SCHEMES = frozenset({"twilio"})  # schemes that always sign the endpoint URL


def provider_settings(preset: Provider) -> tuple[str, ...]:
    """Of secrets, verify_token, credential, verify, dedup, public_url and split those that this provider has a use for."""
    kinds = {part.partition(":")[0] for part in preset.handshake.split("|")}
    every = every_verification(preset)
    found = {
        "secrets": any(needs_secret(one) for one in every) or "verify" in preset.open,
        "verify_token": bool(kinds & _TOKEN_KINDS) or "verify" in preset.open,
        "credential": bool({"credential", "verify"} & {*preset.open}),
        "verify": "verify" in preset.open,
        "dedup": "dedup" in preset.open,
        "public_url": bool(kinds & _URL_KINDS) or any(signs_url(one) for one in every) or "verify" in preset.open,
        "split": preset.items is not None or "verify" in preset.open,
    }
    return tuple(name for name, wanted in found.items() if wanted)


def every_verification(preset: Provider) -> tuple[Verification, ...]:
    """Each way its senders are proved."""
    return (preset.verification(), *preset.other_verifications())


def signs_url(verification: Verification) -> bool:
    """Whether the address that the sender posts to goes into its proof."""
    if verification.scheme in _URL_SCHEMES:
        return True
    if verification.scheme == "jwt":
        bound = " ".join((verification.audience, verification.issuer, *verification.claims))
        return any(f"{{{hole}}}" in bound for hole in (*_URL_HOLES, "qsh"))
    return verification.scheme in TEMPLATED and bool(_URL_HOLES & {*template(verification.signed).holes})
