"""From `[[touchpoint]]` tables to Touchpoints, all problems at once."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from touchpoints.definition_destination import FOLDER, HTTP, read_destination
from touchpoints.definition_kind import FLAG, PUBLIC_URL, SECRET, SECRETS, TEXT, TEXTS, choice, list_of, span, table
from touchpoints.definition_setting import Reading, Setting, join, listed, read_table, shown
from touchpoints.moment import DAY, MINUTE
from touchpoints.name import name_problem
from touchpoints.provider import Provider, provider, providers
from touchpoints.span import format_span
from touchpoints.touchpoint import (
    STANDARD_SCHEDULE,
    Dedup,
    Destination,
    Retry,
    Touchpoint,
    TouchpointState,
    Verification,
)
from touchpoints.verification import covers, needs_secret, secret_problem, selector_problem, verification_problem
from touchpoints.verifiers.hmac import DIGEST_SIZES, ENCODINGS, KEYS

BODY_WINDOW = 10 * MINUTE  # bodies that are byte-identical are often two real events; only a quick repeat is taken for one
KEY_WINDOW = 14 * DAY

MOST_TOUCHPOINTS = 1000
MOST_DESTINATIONS = 50

VERIFY = (
    Setting("scheme", choice("hmac", "token", "basic", "none"), None, "How the sender is proved; none needs allow_unsigned."),
    Setting("header", TEXT, "", "The header that holds the signature or token."),
    Setting("signature", TEXT, "", "Where the signature stands, as a selector, when it is no whole header."),
    Setting("algorithm", choice(*DIGEST_SIZES), "sha256", "The hash of the signature."),
    Setting("encoding", choice(*ENCODINGS), "hex", "How the signature is written."),
    Setting("prefix", TEXT, "", "What stands before the signature or token, such as sha256=."),
    Setting("layout", TEXT, "plain", "plain, csvkv:KEY (t=1,v1=2) or spacelist:TAG (v1,a v1,b)."),
    Setting("signed", TEXT, "{body}", "What is signed: {body} {ts} {id} {url} {method} {path_query}, {selectors}, text."),
    Setting("key", choice(*KEYS), "utf8", "How the secret becomes the key."),
    Setting("timestamp", TEXT, "", "Where the time of sending stands, with its unit, such as header:X-Timestamp:s."),
    Setting("message_id", TEXT, "", "Where the message's id stands, as a selector, when it is signed."),
    Setting("tolerance", span("1s", "1d"), "5m", "How far the time of sending may lie from now."),
    Setting("allow_unsigned", FLAG, False, "Take events from anyone. Shown in red."),
)

DEDUP = (Setting("key", TEXT, None, "Where the dedup key stands: header:NAME, json:POINTER, body or none."),)

RETRY = (
    Setting(
        "schedule",
        list_of(span("0s", "30d"), most=50),
        [format_span(step) for step in STANDARD_SCHEDULE],
        "How long to wait before each retry; after the last one a delivery is given up.",
    ),
)

TOUCHPOINT = (
    Setting("name", TEXT, None, "Its identity, and the end of its endpoint URL."),
    Setting("provider", TEXT, None, "Which web application sends; generic opens [touchpoint.verify]."),
    Setting("secrets", SECRETS, [], "Literal, env:NAME or file:PATH; several while rotating. None: in setup."),
    Setting("state", choice("running", "hold", "disabled"), "running", "hold accepts, and waits; disabled is as unknown."),
    Setting("events", TEXTS, [], "The event types that are carried on; none: all."),
    Setting("event_type", TEXT, None, "Where the event type stands, as a selector; left out, the provider's."),
    Setting("reference", TEXT, None, "Where the number people ask for stands, as a selector; left out, the provider's."),
    Setting("aliases", TEXTS, [], "Older names whose endpoint URLs still work."),
    Setting("verify_token", SECRET, "", "The token of the provider's handshake, where it has one."),
    Setting("credential", TEXT, None, "Where the token stands, such as header:X-Key, where the provider lets one choose."),
    Setting("public_url", PUBLIC_URL, "", "The URL the sender signs, where a reverse proxy rewrites it."),
    Setting("verify", table(VERIFY), {}, "How a generic sender is proved."),
    Setting("dedup", table(DEDUP), {}, "How repeats are told."),
    Setting("retry", table(RETRY), {}, "When failed deliveries are tried again."),
)

TOUCHPOINT_SETTINGS = (
    *listed(TOUCHPOINT, "touchpoint"),
    *listed(HTTP, "touchpoint.destination (http)"),
    *listed(FOLDER, "touchpoint.destination (folder)"),
)

# Ids of what is stored, by (touchpoint name,) and (touchpoint name, destination name); what is new has 0 until it is stored.
Ids = Mapping[tuple[str, ...], int]


def read_touchpoints(items: object, ids: Ids, reading: Reading) -> tuple[Touchpoint, ...]:
    """The touchpoints of a document's `touchpoint` list; what is wrong is noted in `reading`, with its path."""
    if not isinstance(items, list):
        reading.wrong("wrong_type", "touchpoint", expected="a list of tables, [[touchpoint]]", found="something else")
        return ()
    if len(items) > MOST_TOUCHPOINTS:
        reading.wrong("list_too_long", "touchpoint", most=MOST_TOUCHPOINTS)
        return ()
    found = []
    for index, item in enumerate(items):
        path = table_path("touchpoint", item, index)
        if isinstance(item, dict):
            found.append(read_touchpoint(item, path, ids, reading))
        else:
            read_table(item, (), path, reading)
    check_names(found, reading)
    return tuple(found)


def table_path(path: str, item: object, index: int) -> str:
    """The path of a table in a list: by its name where it has one, else by its place."""
    name = item.get("name") or item.get("kind") if isinstance(item, dict) else None
    return join(path, name) if isinstance(name, str) and name else f"{path}[{index}]"


def check_names(touchpoints: Sequence[Touchpoint], reading: Reading) -> None:
    """No two touchpoints answer to the same name."""
    taken: dict[str, str] = {}
    for touchpoint in touchpoints:
        for name in (touchpoint.name, *touchpoint.aliases):
            if name and name in taken:
                reading.wrong("name_taken", join("touchpoint", touchpoint.name), name=name[:64], other=taken[name][:64])
            taken[name] = touchpoint.name


def read_touchpoint(item: dict[str, Any], path: str, ids: Ids, reading: Reading) -> Touchpoint:
    """One touchpoint of its table."""
    destinations = item.get("destination", [])
    values = read_table({key: value for key, value in item.items() if key != "destination"}, TOUCHPOINT, path, reading)
    name = values["name"] or ""
    check_touchpoint_names(item, name, values["aliases"], path, reading)
    preset = read_provider(item, values["provider"], path, reading)
    verification = read_verification(values, item, preset, path, reading)
    for index, secret in enumerate(values["secrets"]):
        if found := secret_problem(verification, secret, path=f"{path}.secrets[{index}]"):
            reading.note(found)
    chosen = {key: getattr(preset, key) if values[key] is None else values[key] for key in ("event_type", "reference")}
    for key, text in chosen.items():
        if found := selector_problem(text, path=join(path, key)):
            reading.note(found)
    return Touchpoint(
        id=ids.get((name,), 0),
        name=name,
        aliases=values["aliases"],
        provider=preset.name,
        state=state_of(values["state"], values["secrets"], verification),
        secrets=values["secrets"],
        verify_token=values["verify_token"],
        public_url=values["public_url"],
        events=values["events"],
        verification=verification,
        alternatives=preset.other_verifications(),
        dedup=read_dedup(values["dedup"]["key"], verification, preset, join(path, "dedup.key"), reading),
        retry=Retry(schedule=values["retry"]["schedule"]),
        handshake=preset.handshake,
        methods=preset.methods,
        ack=preset.ack,
        destinations=read_destinations(destinations, name, path, ids, reading),
        **chosen,
    )


def check_touchpoint_names(item: Mapping[str, Any], name: str, aliases: Sequence[str], path: str, reading: Reading) -> None:
    """Names and aliases must be able to stand in a URL."""
    if "name" not in item:
        reading.wrong("missing_key", path, key="name")
    elif isinstance(item["name"], str) and (found := name_problem(name, path=join(path, "name"))):
        reading.note(found)
    for index, alias in enumerate(aliases):
        if found := name_problem(alias, path=f"{path}.aliases[{index}]"):
            reading.note(found)


def read_provider(item: Mapping[str, Any], name: str | None, path: str, reading: Reading) -> Provider:
    """The provider's preset; a missing or unknown one is noted and read on as generic."""
    if "provider" not in item:
        reading.wrong("missing_key", path, key="provider")
    elif name is not None and name not in providers():
        similar = get_close_matches(name[:40].lower(), providers(), n=3) or providers()
        reading.wrong("provider_unknown", join(path, "provider"), name=shown(name), known=", ".join(similar))
    return provider(name if name is not None and name in providers() else "generic")


def state_of(state: str, secrets: Sequence[str], verification: Verification) -> TouchpointState:
    """Setup is not chosen: it is running without a secret that is needed."""
    if state == "running" and not secrets and needs_secret(verification):
        return TouchpointState.SETUP
    return TouchpointState(state)


def read_verification(
    values: Mapping[str, Any], item: Mapping[str, Any], preset: Provider, path: str, reading: Reading
) -> Verification:
    """The preset's verification, with what the preset lets a configuration choose."""
    given = item.get("verify", {})
    given = given if isinstance(given, dict) else {}
    overlay = {key: value for key, value in values["verify"].items() if key in given and value is not None}
    here = join(path, "verify")
    if overlay and "verify" not in preset.open:
        reading.wrong("verify_preset", here, provider=preset.name)
        overlay = {}
    if values["credential"] and not {"credential", "verify"} & {*preset.open}:
        reading.wrong("credential_preset", join(path, "credential"), provider=preset.name)
    elif values["credential"]:
        overlay["credential"] = values["credential"]
    if overlay.get("allow_unsigned") and "scheme" not in given:
        overlay["scheme"] = "none"
    if "scheme" not in given and "scheme" not in overlay and "scheme" not in preset.verify:
        if preset.name == item.get("provider"):
            reading.wrong("verify_needed", here)
        return Verification(scheme="none")
    return made_verification(overlay, preset, here, reading)


def made_verification(overlay: dict[str, Any], preset: Provider, path: str, reading: Reading) -> Verification:
    """The preset with its overlay; one that cannot be used is noted, and stands for none."""
    if header := overlay.pop("header", ""):
        if overlay.get("signature") or overlay.get("credential"):
            reading.wrong("verify_header_twice", join(path, "header"))
        place = "credential" if overlay.get("scheme") == "token" else "signature"
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


def read_destinations(items: object, touchpoint: str, path: str, ids: Ids, reading: Reading) -> tuple[Destination, ...]:
    """The destinations of a touchpoint; no two have the same name."""
    if not isinstance(items, list):
        expected = "a list of tables, [[touchpoint.destination]]"
        reading.wrong("wrong_type", join(path, "destination"), expected=expected, found="something else")
        return ()
    if len(items) > MOST_DESTINATIONS:
        reading.wrong("list_too_long", join(path, "destination"), most=MOST_DESTINATIONS)
        return ()
    found: list[Destination] = []
    for index, item in enumerate(items):
        here = table_path(join(path, "destination"), item, index)
        name = item.get("name") or item.get("kind") if isinstance(item, dict) else None
        number = ids.get((touchpoint, name), 0) if isinstance(name, str) else 0
        destination = read_destination(item, here, number, reading)
        if destination and any(other.name == destination.name for other in found):
            reading.wrong("destination_name_taken", here, name=destination.name[:64])
        elif destination:
            found.append(destination)
    return tuple(found)
