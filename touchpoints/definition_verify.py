"""How a sender is proved and how repeats are told: `[touchpoint.verify]` and `[touchpoint.dedup]`, over a preset."""

from collections.abc import Mapping
from typing import Any

from touchpoints.coverage import covers
from touchpoints.definition_kind import FLAG, TEXT, TEXTS, choice, span
from touchpoints.definition_setting import Reading, Setting, join
from touchpoints.moment import DAY, MINUTE
from touchpoints.provider import Provider
from touchpoints.public_key import ALGORITHMS, FORMS
from touchpoints.published_key import KINDS
from touchpoints.touchpoint import Dedup, Verification
from touchpoints.verification import selector_problem, verification_problem
from touchpoints.verifiers.encoding import ENCODINGS
from touchpoints.verifiers.hmac import DIGEST_SIZES, KEYS
from touchpoints.verifiers.jwt import LEAST_SECRET, PUBLIC

BODY_WINDOW = 10 * MINUTE  # bodies that are byte-identical are often two real events; only a quick repeat is taken for one
KEY_WINDOW = 14 * DAY

_SCHEMES = ("hmac", "hash_prefix", "asymmetric", "jwt", "token", "basic", "none")
_IN_CREDENTIAL = frozenset({"token", "jwt"})  # schemes whose header holds a credential, not a signature
_ALGORITHMS = (*DIGEST_SIZES, *ALGORITHMS, *LEAST_SECRET, *sorted(PUBLIC))
_KEYS = (*KEYS, *FORMS, *(f"published:{kind}" for kind in KINDS if kind != "ebay"))

VERIFY = (
    Setting("scheme", choice(*_SCHEMES), None, "How the sender is proved; none needs allow_unsigned."),
    Setting("header", TEXT, "", "The header that holds the signature or token."),
    Setting("signature", TEXT, "", "Where the signature stands, as a selector, when it is no whole header."),
    Setting("algorithm", choice(*_ALGORITHMS), "sha256", "hmac and hash_prefix: the hash; asymmetric and jwt: what signs."),
    Setting("encoding", choice(*ENCODINGS), "hex", "How the signature is written; any is hex or base64."),
    Setting("prefix", TEXT, "", "What stands before the signature or token, such as sha256=."),
    Setting(
        "layout",
        TEXT,
        "plain",
        "plain, many (several headers or a comma list), csvkv:KEY (t=1,v1=2), spacelist:TAG (v1,a v1,b) or numbered:PREFIX.",
    ),
    Setting(
        "signed",
        TEXT,
        "{body}",
        "What is signed: {body} {sha256hex_body} {ts} {id} {url} {url_decoded} {method} {path_query}, {selectors}, text; "
        "hash_prefix: {secret} too.",
    ),
    Setting("key", choice(*_KEYS), "utf8", "How the secret becomes the key; published:KIND: the key is fetched from key_url."),
    Setting("timestamp", TEXT, "", "Where the time of sending stands, with its unit: header:X-Timestamp:s, :ms or :iso."),
    Setting("message_id", TEXT, "", "Where the message's id stands, as a selector, when it is signed."),
    Setting("tolerance", span("1s", "1d"), "5m", "How far the time of sending may lie from now."),
    Setting("key_id", TEXT, "", "Which of the published keys signed, as a selector; jwt reads its kid."),
    Setting("key_url", TEXT, "", "Where published keys stand: const:https://HOST/PATH, or a selector."),
    Setting("key_hosts", TEXTS, [], "The only hosts a published key is fetched from; * stands for one label."),
    Setting("audience", TEXT, "", "jwt: what aud must hold."),
    Setting("issuer", TEXT, "", "jwt: what iss must be."),
    Setting("claims", TEXTS, [], "jwt: what else must be claimed, such as qsh={qsh}."),
    Setting("allow_unsigned", FLAG, False, "Take events from anyone. Shown in red."),
)

DEDUP = (Setting("key", TEXT, None, "Where the dedup key stands: header:NAME, json:POINTER, body or none."),)


def read_verification(
    values: Mapping[str, Any], item: Mapping[str, Any], preset: Provider, path: str, reading: Reading
) -> tuple[Verification, tuple[Verification, ...]]:
    """The preset's verification with what the preset lets a configuration choose, and its alternatives.

    A configuration that says how the sender is proved has no alternatives beside that.
    """
    given = item.get("verify", {})
    given = given if isinstance(given, dict) else {}
    overlay = {key: value for key, value in values["verify"].items() if key in given and value is not None}
    here = join(path, "verify")
    if overlay and "verify" not in preset.open:
        reading.wrong("verify_preset", here, provider=preset.name)
        overlay = {}
    others = () if overlay else preset.other_verifications()
    if values["credential"] and not {"credential", "verify"} & {*preset.open}:
        reading.wrong("credential_preset", join(path, "credential"), provider=preset.name)
    elif values["credential"]:
        overlay["credential"] = values["credential"]
    if overlay.get("allow_unsigned") and "scheme" not in given:
        overlay["scheme"] = "none"
    if "scheme" not in given and "scheme" not in overlay and "scheme" not in preset.verify:
        if preset.name == item.get("provider"):
            reading.wrong("verify_needed", here)
        return Verification(scheme="none"), ()
    return _made(overlay, preset, here, reading), others


def _made(overlay: dict[str, Any], preset: Provider, path: str, reading: Reading) -> Verification:
    """The preset with its overlay; one that cannot be used is noted, and stands for none."""
    if header := overlay.pop("header", ""):
        if overlay.get("signature") or overlay.get("credential"):
            reading.wrong("verify_header_twice", join(path, "header"))
        place = "credential" if overlay.get("scheme") in _IN_CREDENTIAL else "signature"
        overlay[place] = f"header:{header}"
    verification = preset.verification(**overlay)
    if found := verification_problem(verification, path=path):
        reading.note(found)
        return Verification(scheme="none")
    return verification


def read_dedup(key: str | None, verification: Verification, preset: Provider, path: str, reading: Reading) -> Dedup:
    """The dedup of a written key, or the preset's."""
    if key is None:
        return preset.dedup_rule()
    if "dedup" not in preset.open:
        reading.wrong("dedup_preset", path, provider=preset.name)
    if key in {"", "none"}:
        return Dedup()
    if found := selector_problem(key, path=path):
        reading.note(found)
        return Dedup()
    whole_body = any(place.strip() == "body" for place in key.split("|"))
    return Dedup(key=key, signed=covers(verification, key), window=BODY_WINDOW if whole_body else KEY_WINDOW)
