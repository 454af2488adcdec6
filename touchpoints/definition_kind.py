"""The types of values a configuration file holds. Each is read by one function that checks and converts, or raises Mistake."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from urllib.parse import SplitResult, urlsplit

from touchpoints.definition_secret import is_sensitive, secret_spans
from touchpoints.definition_setting import Kind, Mistake, Reading, Setting, expect, join, read_table, shown
from touchpoints.moment import Micros
from touchpoints.size import parse_size
from touchpoints.span import parse_span

LONGEST_TEXT = 65_536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_HOST = re.compile(r"[<>\"'`{}|^*,;!()]")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")  # RFC 9110 section 5.6.2


def simple(label: str, kind: type, convert: Callable[[Any], Any]) -> Kind:
    """A kind whose values are of one TOML type and need nothing but themselves."""

    def read(value: Any, path: str, reading: Reading) -> Any:  # noqa: ARG001 - the shape all kinds share
        expect(kind, value, label)
        return convert(value)

    return Kind(label, read)


def plain_text(value: str) -> str:
    """One line of text of bearable length. Raises Mistake."""
    if len(value) > LONGEST_TEXT:
        raise Mistake("text_too_long", longest=LONGEST_TEXT)
    if _CONTROL.search(value) or not value.isprintable():
        raise Mistake("text_control")
    return value


def choice(*choices: str) -> Kind:
    """One of a few words."""

    def convert(value: str) -> str:
        if value not in choices:
            raise Mistake("not_one_of", found=shown(value), choices=", ".join(choices))
        return value

    return simple("one of " + ", ".join(choices), str, convert)


def integer(least: int, most: int) -> Kind:
    """A whole number within limits."""

    def convert(value: int) -> int:
        if not least <= value <= most:
            raise Mistake("out_of_range", least=least, most=most)
        return value

    return simple(f"a whole number from {least} to {most}", int, convert)


def span(least: str, most: str) -> Kind:
    """A span of time within limits, in microseconds."""

    def convert(value: str) -> Micros:
        try:
            found = parse_span(value)
        except ValueError:
            raise Mistake("not_a_span", found=shown(value)) from None
        if not parse_span(least) <= found <= parse_span(most):
            raise Mistake("out_of_range", least=least, most=most)
        return found

    return simple(f"a span of time from {least} to {most}", str, convert)


def size(least: int, most: int) -> Kind:
    """A size in bytes within limits: a number, or text such as `25MiB`."""
    label = "a size"

    def read(value: Any, path: str, reading: Reading) -> int:  # noqa: ARG001 - the shape all kinds share
        if type(value) is not int:
            expect(str, value, label)
        try:
            found = parse_size(value)
        except ValueError:
            raise Mistake("not_a_size", found=shown(str(value)) if isinstance(value, str) else "that number") from None
        if not least <= found <= most:
            raise Mistake("out_of_range", least=least, most=most)
        return found

    return Kind(label, read)


def list_of(kind: Kind, *, most: int = 1000) -> Kind:
    """A list, each element of one kind; wrong elements are noted one by one and left out."""
    label = f"a list, each {kind.label}"

    def read(value: Any, path: str, reading: Reading) -> tuple[Any, ...]:
        expect(list, value, label)
        if len(value) > most:
            raise Mistake("list_too_long", most=most)
        elements = []
        for index, element in enumerate(value):
            try:
                elements.append(kind.read(element, f"{path}[{index}]", reading))
            except Mistake as mistake:
                reading.wrong(mistake.code, f"{path}[{index}]", **mistake.values)
        return tuple(elements)

    return Kind(label, read)


def table(settings: tuple[Setting, ...]) -> Kind:
    """A table of settings of its own; read as a dict of their values."""
    return Kind("a table", lambda value, path, reading: read_table(value, settings, path, reading), settings)


def read_secret(value: Any, path: str, reading: Reading) -> str:  # noqa: ARG001 - the shape all kinds share
    """A secret, in clear; empty: none."""
    expect(str, value, SECRET.label)
    clear = reading.clear(value) if value else ""
    if len(clear) > LONGEST_TEXT:
        raise Mistake("text_too_long", longest=LONGEST_TEXT)
    return clear


def read_filled_secret(value: Any, path: str, reading: Reading) -> str:
    """A secret that must not be empty."""
    clear = read_secret(value, path, reading)
    if not clear:
        raise Mistake("secret_empty")
    return clear


def pairs(label: str, *, names: re.Pattern[str] | None, secret: Callable[[str], bool]) -> Kind:
    """A table of names and texts, as pairs; an empty text leaves the name out, which is how a merge removes one."""

    def read(value: Any, path: str, reading: Reading) -> tuple[tuple[str, str], ...]:
        expect(dict, value, label)
        if len(value) > 100:
            raise Mistake("list_too_long", most=100)
        found = []
        for name, text in value.items():
            try:
                if names and not names.fullmatch(name):
                    raise Mistake("header_name", name=shown(name))
                clear = plain_text(read_secret(text, path, reading) if secret(name) else TEXT.read(text, path, reading))
                found.append((name, clear))
            except Mistake as mistake:
                reading.wrong(mistake.code, join(path, name), **mistake.values)
        return tuple((name, text) for name, text in found if text)

    return Kind(label, read)


def clear_url(value: str, reading: Reading) -> str:
    """A URL with the secrets inside it in clear."""
    for start, end in reversed(secret_spans(value)):
        value = value[:start] + reading.clear(value[start:end]) + value[end:]
    return value


def split_url(value: str, *schemes: str) -> SplitResult:
    """A URL's parts. Raises Mistake unless it has one of the schemes, a host and a possible port."""
    plain_text(value)
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Mistake("not_a_url", schemes=" or ".join(f"{scheme}://" for scheme in schemes)) from None
    if parts.scheme not in schemes or not host or _NO_HOST.search(host) or " " in value or "\\" in value:
        raise Mistake("not_a_url", schemes=" or ".join(f"{scheme}://" for scheme in schemes))
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def read_url(value: Any, path: str, reading: Reading) -> str:  # noqa: ARG001 - the shape all kinds share
    """An HTTP URL that may hold secrets; empty: none."""
    expect(str, value, URL.label)
    if value:
        split_url(value, "http", "https")
    return clear_url(value, reading)


def read_proxy(value: Any, path: str, reading: Reading) -> str:
    """An HTTP proxy's URL, `none`, or empty for the environment's."""
    return "none" if value == "none" else read_url(value, path, reading)


def base_url(value: str) -> str:
    """A URL that others are built upon: no path, query, fragment or user; without the closing slash."""
    if value:
        parts = split_url(value, "http", "https")
        if parts.path not in {"", "/"} or "?" in value or "#" in value or "@" in value:
            raise Mistake("url_has_path")
    return value.rstrip("/")


def public_url(value: str) -> str:
    """A URL as a sender sees it, which its signature may cover: no query, fragment or user."""
    if value:
        split_url(value, "http", "https")
        if "?" in value or "#" in value or "@" in value:
            raise Mistake("url_has_query")
    return value


def address(value: str) -> str:
    """An IP address, or localhost."""
    if value != "localhost":
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise Mistake("not_an_address", found=shown(value)) from None
    return value


def network(value: str) -> str:
    """An IP address or a network such as 10.0.0.0/8."""
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise Mistake("not_an_address", found=shown(value)) from None
    return value


def certificate_fingerprint(value: str) -> str:
    """A certificate's SHA-256 in 64 hexadecimal digits, as tools show it: in either case, with colons or without."""
    found = value.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        raise Mistake("not_a_fingerprint", found=shown(value))
    return found


def host_name(value: str) -> str:
    """A host name as browsers send it, perhaps with a port."""
    if not re.fullmatch(r"[A-Za-z0-9._:\[\]-]{1,255}", value):
        raise Mistake("not_a_host", found=shown(value))
    return value.lower()


def absolute(value: str) -> str:
    """A path of this machine that does not depend on where the program was started; empty: none."""
    if plain_text(value) and not PurePath(value).is_absolute():
        raise Mistake("path_not_absolute", found=shown(value))
    return value


def method(value: str) -> str:
    """An HTTP method, in capitals."""
    if not re.fullmatch(r"[A-Z]{1,20}", value) or value in {"CONNECT", "TRACE"}:
        raise Mistake("not_a_method", found=shown(value))
    return value


TEXT = simple("text", str, plain_text)
FLAG = simple("true or false", bool, bool)
SECRET = Kind("a secret", read_secret)
SECRETS = list_of(Kind("a secret", read_filled_secret), most=16)
URL = Kind("a URL", read_url)
BASE_URL = simple("a URL without a path", str, base_url)
PUBLIC_URL = simple("a URL", str, public_url)
PROXY = Kind('a URL, or "none"', read_proxy)
ADDRESS = simple("an IP address", str, address)
NETWORKS = list_of(simple("an IP address or network", str, network))
FINGERPRINTS = list_of(simple("a SHA-256 fingerprint", str, certificate_fingerprint))
HOSTS = list_of(simple("a host name", str, host_name))
PATH = simple("an absolute path", str, absolute)
METHOD = simple("an HTTP method", str, method)
HEADERS = pairs("a table of headers", names=HEADER_NAME, secret=is_sensitive)
QUERY = pairs("a table of parameters", names=None, secret=lambda _: True)
TEXTS = list_of(TEXT)
