"""From a `[[touchpoint.destination]]` table to a Destination, all problems at once."""

from collections.abc import Callable, Mapping
from typing import Any

from touchpoints.definition_kind import (
    FLAG,
    HEADER_NAME,
    HEADERS,
    METHOD,
    PATH,
    PROXY,
    QUERY,
    SECRET,
    TEXT,
    URL,
    choice,
    integer,
    list_of,
    simple,
    span,
    table,
)
from touchpoints.definition_setting import Mistake, Reading, Setting, join, read_table, shown
from touchpoints.name import name_problem
from touchpoints.refused_address import is_refused
from touchpoints.touchpoint import Auth, Destination, FolderDestination, HttpDestination
from touchpoints.verifiers.hmac import key_of

# The key each type of auth keeps its secret under, and the other keys it has.
AUTH_SECRETS = {"basic": "password", "bearer": "token", "api_key": "key"}
AUTH_KEYS: dict[str, tuple[str, ...]] = {"none": (), "basic": ("username",), "bearer": (), "api_key": ("name", "place")}


def link_local(value: str) -> str:
    """An address that is refused unless a destination names it."""
    if not is_refused(value):
        raise Mistake("not_link_local", found=shown(value))
    return value


LINK_LOCAL = list_of(simple("a link-local IP address", str, link_local), most=20)

AUTH = (
    Setting("type", choice("none", *AUTH_SECRETS), "none", "How Hookport proves itself to the destination."),
    Setting("username", TEXT, "", "The user name, for basic."),
    Setting("password", SECRET, "", "The password, for basic."),
    Setting("token", SECRET, "", "The token, for bearer."),
    Setting("key", SECRET, "", "The key, for api_key."),
    Setting("name", TEXT, "X-API-Key", "The header or parameter that carries the key, for api_key."),
    Setting("place", choice("header", "query"), "header", "Where the key goes, for api_key."),
)

COMMON = (
    Setting("name", TEXT, "", "Its identity, unique in the touchpoint; left out, it is the kind."),
    Setting("kind", TEXT, None, "What it is: http or folder."),
)

HTTP = (
    *COMMON,
    Setting("url", URL, "", "Where the original body goes."),
    Setting("method", METHOD, "POST", "The HTTP method."),
    Setting("headers", HEADERS, {}, "Headers that win over the received ones; an empty text removes one."),
    Setting("query", QUERY, {}, "Parameters added to the URL; an empty text removes one."),
    Setting("auth", table(AUTH), {}, "How Hookport proves itself to the destination."),
    Setting("timeout", span("1s", "10m"), "30s", "For one attempt in all: connecting, sending, waiting and reading."),
    Setting("ca", PATH, "", "A PEM file of a private certificate authority; empty: the system's."),
    Setting("proxy", PROXY, "", 'An HTTP proxy; empty takes HTTP(S)_PROXY and NO_PROXY, "none" takes none.'),
    Setting("concurrency", integer(1, 256), 16, "How many deliveries go on at once."),
    Setting("sign", SECRET, "", "A whsec_ secret: what Hookport sends is signed by Standard Webhooks."),
    Setting("link_local", LINK_LOCAL, [], "Link-local addresses that it may call, each by itself; every other is refused."),
)

FOLDER = (
    *COMMON,
    Setting("path", PATH, "", "The folder that gets each event as a file."),
    Setting("metadata", FLAG, False, "Write event type, headers and times beside each file, before it."),
    Setting("concurrency", integer(1, 64), 4, "How many files are written at once."),
)

KINDS: dict[str, tuple[Setting, ...]] = {"http": HTTP, "folder": FOLDER}


def read_destination(item: object, path: str, number: int, reading: Reading) -> Destination | None:
    """The destination of a table, or None when it has no known kind; `number` is its id. Problems go to `reading`."""
    if not isinstance(item, dict):
        read_table(item, (), path, reading)
        return None
    kind = item.get("kind")
    if kind is None:
        reading.wrong("missing_key", path, key="kind")
    elif not isinstance(kind, str) or kind not in KINDS:
        reading.wrong("destination_kind", join(path, "kind"), kinds=", ".join(KINDS))
    else:
        values = read_table(item, KINDS[kind], path, reading)
        values["name"] = values["name"] or kind
        if found := name_problem(values["name"], path=join(path, "name")):
            reading.note(found)
        return BUILDERS[kind](values, item, path, number, reading)
    return None


def build_http(values: dict[str, Any], item: Mapping[str, Any], path: str, number: int, reading: Reading) -> HttpDestination:
    """An HTTP destination of read values."""
    if not item.get("url"):
        reading.wrong("missing_key", path, key="url")
    if values["sign"] and key_of("whsec", values["sign"]) is None:
        reading.wrong("sign_malformed", join(path, "sign"))
    given = item.get("auth", {})
    auth = read_auth(values.pop("auth"), given if isinstance(given, dict) else {}, join(path, "auth"), reading)
    return HttpDestination(id=number, auth=auth, **values)


def read_auth(values: Mapping[str, Any], given: Mapping[str, Any], path: str, reading: Reading) -> Auth | None:
    """The auth of read values; what another type of auth would need is a contradiction."""
    kind = values["type"]
    fitting = {"type", *AUTH_KEYS[kind], AUTH_SECRETS.get(kind, "type")}
    if "type" not in given and given:
        reading.wrong("missing_key", path, key="type")
        return None
    for setting in AUTH:
        if setting.name in given and setting.name not in fitting:
            reading.wrong("auth_unused", join(path, setting.name), kind=kind, key=setting.name)
    if kind == "none":
        return None
    if kind == "api_key" and values["place"] == "header" and not HEADER_NAME.fullmatch(values["name"]):
        reading.wrong("header_name", join(path, "name"), name=shown(values["name"]))
    secret = values[AUTH_SECRETS[kind]]
    if AUTH_SECRETS[kind] not in given:
        reading.wrong("missing_key", path, key=AUTH_SECRETS[kind])
    elif not secret.isprintable():
        reading.wrong("text_control", join(path, AUTH_SECRETS[kind]))
    return Auth(kind=kind, secret=secret, username=values["username"], name=values["name"], place=values["place"])


def build_folder(
    values: dict[str, Any], item: Mapping[str, Any], path: str, number: int, reading: Reading
) -> FolderDestination:
    """A folder destination of read values."""
    if not item.get("path"):
        reading.wrong("missing_key", path, key="path")
    return FolderDestination(id=number, **values)


Builder = Callable[[dict[str, Any], Mapping[str, Any], str, int, Reading], Destination]

BUILDERS: dict[str, Builder] = {"http": build_http, "folder": build_folder}
