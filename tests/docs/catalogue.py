"""The catalogue of providers, made from their files and from the page's words."""

from collections.abc import Iterable, Iterator

from tests.docs.markdown import code, table
from tests.docs.page import anchor
from touchpoints.ack import ACKS
from touchpoints.coverage import covers
from touchpoints.moment import HOUR, MINUTE, Micros
from touchpoints.provider import GROUPS, Provider, providers
from touchpoints.provider_settings import provider_settings
from touchpoints.touchpoint import Dedup, Verification
from web.page.provider_words import provider_words, secret_label
from web.page.words import t

_HANDSHAKES = {
    "echo_query": "asks by GET with a challenge in the query, which is echoed",
    "echo_query:validationToken:post": "asks by POST with a challenge in the query, which is echoed",
    "echo_query_if_token": "asks by GET with a challenge, which is echoed to who knows the verify token",
    "echo_header_json": "asks by GET with a challenge in a header, which is echoed as JSON",
    "echo_header": "sends the secret in a header once, which is kept and echoed; only while the touchpoint has none",
    "capture_json": "sends the secret in the body once, which is kept and shown; only while the touchpoint has none",
    "json_challenge": "asks with a signed challenge in the body, which is echoed",
    "validation_code": "asks with a challenge in the body, which is echoed as JSON",
    "sha256_concat": "asks by GET with a challenge, answered with a hash over it, the verify token and the endpoint URL",
    "hmac_token": "asks with a challenge, answered with its signature by the secret",
    "options": "asks by OPTIONS whether it may send, and may",
    "status_probe": "asks by HEAD or GET whether somebody is there",
    "form_ping": "sends a ping without a signature, which is answered and not kept",
    "itr": "sends messages without events, right and wrongly signed ones, and wants to see them told apart",
    "fetch_url": "sends a signed confirmation, whose address at a pinned host is visited once",
}
_COVERS = {"body": "the whole body", "fields": "some fields only", "checksum": "a checksum of the body", "nothing": "nothing"}
_ENCODINGS = {"base64": "Base64", "base64url": "URL-safe Base64", "any": "hexadecimal or Base64", "hex": "hexadecimal"}
_CREDENTIALS = frozenset({"token", "basic", "jwt"})  # schemes whose credential is the proof, not something beside it
_ANSWERS = {
    "empty": "200, empty",
    "accepted_202": "202, empty",
    "adyen": "200, `[accepted]`",
    "soap": "200, a SOAP acknowledgement",
    "twiml": "200, an empty TwiML",
    "adobe": '200, `{"op":"success"}`',
}
_SURE = {"signature": "proof", "ids": "ids and types", "handshake": "handshake", "ack": "answer", "retry": "repeats"}


def catalogue() -> str:
    """The overview, and a section for each provider, in the groups of the page's picker."""
    heads = ("Provider", "Name", "Proof", "It covers", "Handshake", "Several events", "Unsure")
    overview = table(heads, [_row(one) for one in _sorted(providers().values())])
    groups = (f"## {t(f'provider.group.{group}')}\n\n{_group(group)}" for group in GROUPS)
    return "\n\n".join((f"## All at a glance\n\n{overview}", *groups))


def _group(group: str) -> str:
    return "\n\n".join(_section(one) for one in _sorted(providers().values()) if one.group == group)


def _sorted(presets: Iterable[Provider]) -> list[Provider]:
    return sorted(presets, key=lambda one: (one.name == "generic", one.label.casefold()))


def _row(preset: Provider) -> tuple[str, ...]:
    schemes = ", ".join(dict.fromkeys(_scheme(one) for one in _verifications(preset))) or "what you choose"
    return (
        f"[{preset.label}](#{anchor(preset.label)})",
        code(preset.name),
        schemes,
        _COVERS[preset.covers] if preset.verify else "what you choose",
        "yes" if preset.handshake else "",
        "" if preset.items is None else "yes",
        ", ".join(_SURE[group] for group in preset.unsure),
    )


def _section(preset: Provider) -> str:
    words = provider_words(preset)
    parts = [
        f"### {preset.label}",
        f'`provider = "{preset.name}"`, and {_settings(preset)}.' + _linked(preset),
        f"**{secret_label(preset)}**: {words.secret}" + f"\n{words.where}" * bool(words.where),
        "\n".join(f"{number}. {step}" for number, step in enumerate(words.steps, 1)),
        words.note,
        t(f"provider.covers.{preset.covers}", label=preset.label) if preset.covers != "body" else "",
        table(("What", "How"), _facts(preset)),
    ]
    return "\n\n".join(part for part in parts if part)


def _settings(preset: Provider) -> str:
    names = (
        [code(name) for name in provider_settings(preset)] if preset.verify else [code("secrets"), code("verify"), "all else"]
    )
    return ", ".join(names)


def _linked(preset: Provider) -> str:
    return f"\nThe vendor's own page: <{preset.link}>" if preset.link else ""


def _facts(preset: Provider) -> Iterator[tuple[str, str]]:
    for at, one in enumerate(_verifications(preset)):
        yield ("or else" if at else "Proof"), _proof(one)
    if preset.handshake:
        yield "Handshake", "; or it ".join(_handshake(part.strip()) for part in preset.handshake.split("|"))
    if preset.methods != ("POST",):
        yield "Methods", ", ".join(preset.methods)
    yield "Answer to an event", _answer(preset.ack)
    yield "Event type", code(preset.event_type) or "none"
    if preset.reference:
        yield "Reference", code(preset.reference)
    yield "Repeats are told by", _dedup(preset)
    if preset.items is not None:
        where = f"in the list {code(preset.items)}" if preset.items else "where the body is a list"
        yield "Several events", f"{where}; each by itself with `split = true`"
    if preset.types:
        yield "Known event types", ", ".join(code(name) for name in preset.types)
    yield "How sure", ", ".join(f"{_SURE[group]} {letter}" for group, letter in preset.confidence.items())
    yield "Sources", "; ".join(preset.sources)


def _verifications(preset: Provider) -> tuple[Verification, ...]:
    return (preset.verification(), *preset.other_verifications()) if preset.verify else ()


def _scheme(one: Verification) -> str:
    algorithm = one.algorithm.upper()
    return {
        "hmac": f"HMAC-{algorithm}",
        "hash_prefix": f"{algorithm} with the secret",
        "twilio": "Twilio's HMAC",
        "adyen": "Adyen's HMAC of each item",
        "braintree": "Braintree's HMAC",
        "asymmetric": algorithm,
        "jwt": f"JWT, {one.algorithm}",
        "sns": "Amazon's RSA",
        "paypal": "PayPal's RSA",
        "ebay": "eBay's ECDSA",
        "token": "token",
        "basic": "user name and password",
    }[one.scheme]


def _proof(one: Verification) -> str:
    """What is looked at, where, and over what."""
    parts = [_scheme(one)]
    if one.scheme in {"hmac", "hash_prefix", "asymmetric"}:
        parts += [f"of {code(one.signed)}", f"in {_ENCODINGS[one.encoding]}"]
    parts += _places(one)
    if one.timestamp:
        parts.append(f"sent at {code(one.timestamp)}, no more than {_span(one.tolerance)} from now")
    if one.key_hosts:
        parts.append(f"by a key that {', '.join(code(host) for host in one.key_hosts)} publishes")
    if one.credential and one.scheme not in _CREDENTIALS:
        parts.append(f"and {code(one.credential)} is one of the secrets")
    parts += [f"and claims {code(claim)}" for claim in one.claims]
    if one.when:
        parts.append(f"where {code(one.when)}")
    return ", ".join(parts)


def _places(one: Verification) -> list[str]:
    if one.layout.startswith("numbered:"):
        return [f"in {code('header:' + one.layout.partition(':')[2] + '1')} and so on, any of which may fit"]
    place = one.signature or (one.credential if one.scheme in _CREDENTIALS else "")
    found = [f"at {code(place)}"] if place else []
    before = one.prefix or one.layout.partition(":")[2]
    return [*found, f"after {code(before)}"] if before else found


def _span(micros: Micros) -> str:
    return f"{micros // HOUR} hours" if micros >= HOUR else f"{micros // MINUTE} minutes"


def _handshake(part: str) -> str:
    """`It` is the provider."""
    meaning = _HANDSHAKES.get(part) or _HANDSHAKES[part.partition(":")[0]]
    return f"{meaning} ({code(part)})"


def _answer(name: str) -> str:
    if ACKS.keys() != _ANSWERS.keys():
        raise ValueError(f"name these answers in tests/docs/catalogue.py: {sorted(ACKS.keys() ^ _ANSWERS.keys())}")
    return _ANSWERS[name]


def _dedup(preset: Provider) -> str:
    rule = preset.dedup_rule()
    if not rule.key:
        return "nothing" if preset.verify else "what you choose"
    notes = []
    if preset.verify and not all(covers(one, rule.key) for one in _verifications(preset)):
        notes.append("the proof does not cover it: the same with another body is a new event, and marked")
    if rule.window != Dedup().window:
        notes.append(f"within {_span(rule.window)}")
    return "; ".join([code(rule.key), *notes])
