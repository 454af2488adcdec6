"""From `[[touchpoint]]` tables to Touchpoints, all problems at once."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from touchpoints.definition_destination import FOLDER, HTTP, read_destination
from touchpoints.definition_kind import (
    FINGERPRINTS,
    FLAG,
    NETWORKS,
    PUBLIC_URL,
    SECRET,
    SECRETS,
    TEXT,
    TEXTS,
    choice,
    list_of,
    span,
    table,
)
from touchpoints.definition_setting import Reading, Setting, join, listed, read_table, shown
from touchpoints.definition_verify import DEDUP, VERIFY, read_dedup, read_verification
from touchpoints.handshake import handshake_problem
from touchpoints.name import name_problem
from touchpoints.pointer import tokens_of
from touchpoints.provider import Provider, provider, providers
from touchpoints.span import format_span
from touchpoints.touchpoint import (
    STANDARD_SCHEDULE,
    Destination,
    Retry,
    Touchpoint,
    TouchpointState,
    Verification,
)
from touchpoints.verification import needs_secret, secret_problem, selector_problem

MOST_TOUCHPOINTS = 1000
MOST_DESTINATIONS = 50

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
    Setting("networks", NETWORKS, [], "The only addresses and networks that may send; none: all."),
    Setting("client_certificates", FINGERPRINTS, [], "SHA-256 fingerprints: the only TLS clients that may send; none: all."),
    Setting("split", FLAG, False, "Make each event of a body that carries several an event of its own."),
    Setting(
        "items", TEXT, None, "Where the list of events stands in the body, as a JSON pointer; empty: the body is the list."
    ),
    Setting("handshake", TEXT, None, "How the sender checks the endpoint URL: kind:argument, several divided by |."),
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
    verification, alternatives = read_verification(values, item, preset, path, reading)
    for index, secret in enumerate(values["secrets"]):
        if found := secret_problem(verification, secret, alternatives=alternatives, path=f"{path}.secrets[{index}]"):
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
        alternatives=alternatives,
        dedup=read_dedup(values["dedup"]["key"], verification, preset, join(path, "dedup.key"), reading),
        retry=Retry(schedule=values["retry"]["schedule"]),
        handshake=read_handshake(values["handshake"], preset, path, reading),
        methods=preset.methods,
        ack=preset.ack,
        split=read_split(values, preset, path, reading),
        networks=values["networks"],
        client_certificates=values["client_certificates"],
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


def read_handshake(handshake: str | None, preset: Provider, path: str, reading: Reading) -> str:
    """The written handshake, or the preset's."""
    if handshake is None:
        return preset.handshake
    if "verify" not in preset.open:
        reading.wrong("handshake_preset", join(path, "handshake"), provider=preset.name)
        return preset.handshake
    if found := handshake_problem(handshake, path=join(path, "handshake")):
        reading.note(found)
        return ""
    return handshake


def read_split(values: Mapping[str, Any], preset: Provider, path: str, reading: Reading) -> str | None:
    """The pointer of the list whose items become events of their own; None: the body is one event."""
    items = preset.items
    if values["items"] is not None:
        if "verify" not in preset.open:
            reading.wrong("items_preset", join(path, "items"), provider=preset.name)
        else:
            items = values["items"]
    if items is not None:
        try:
            if "*" in tokens_of(items):
                raise ValueError(f'"{items[:40]}" is no single place')
        except ValueError as error:
            reading.wrong("selector_invalid", join(path, "items"), reason=error)
    if values["split"] and items is None:
        reading.wrong("split_unknown", join(path, "split"), provider=preset.name)
    return items if values["split"] else None


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
