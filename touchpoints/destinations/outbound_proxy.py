"""The HTTP proxy on the way out: the destination's own, else the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(setting: str, url: str, environment: Mapping[str, str]) -> str | None:
    """The URL of the proxy to take to `url`, or None for none.

    `setting` is a proxy's URL, `none`, or empty for the environment, whose lower-case names come first.
    Loopback is not special. Raises ValueError for a proxy that is no http or https URL.
    """
    if setting == "none":
        return None
    parts = urlsplit(url)
    proxy = setting or _named(environment, f"{parts.scheme}_proxy")
    if not proxy:
        return None
    if not setting and _excepted(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0), environment):
        return None
    return _checked(proxy if "://" in proxy else f"http://{proxy}")


def _checked(proxy: str) -> str:
    """A proxy that cannot be one must not mean a direct connection. The message holds no URL: it may hold a password."""
    try:
        parts = urlsplit(proxy)
        good = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError("its proxy is not an http or https URL")
    return proxy


_PORTS = {"http": 80, "https": 443}


def _named(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _excepted(host: str, port: int, environment: Mapping[str, str]) -> bool:
    entries = _named(environment, "no_proxy").replace(",", " ").split()
    return any(_matches(entry.lower(), host.lower().rstrip("."), port) for entry in entries)


def _matches(entry: str, host: str, port: int) -> bool:
    """One entry of NO_PROXY: `*`, a name and its subdomains, an address, a network; with `:port` only on that port."""
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and "/" in entry:
        return _within(address, entry)
    name, only_port = _split_port(entry)
    if only_port is not None and only_port != port:
        return False
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """`[::1]:8080`, `[::1]`, `::1`, `host:8080` or `host`."""
    if _address(entry) is not None:
        return entry, None
    name, colon, port = entry.rpartition(":")
    if colon and port.isdecimal():
        return name.strip("[]"), int(port)
    return entry.strip("[]"), None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
