"""Which Host headers the local port answers to: a page that was lured into resolving to us sends its own name."""

import ipaddress
import re
from collections.abc import Collection, Iterable

from touchpoints.problem import Problem, problem

# A name or an address, and a port. What two readers could take for two names (`localhost:80@evil`, `localhost:x`) is none.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{0,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")


def host_problem(headers: Iterable[tuple[bytes, bytes]], allowed: Collection[str]) -> Problem | None:
    """What is wrong with a request's Host, or None. Loopback names pass with any port, others when they are in `allowed`."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        return problem("host_missing")
    host = hosts[0].decode("latin-1")
    name = host_name(host)
    if _HOST.fullmatch(host) and (is_loopback(name) or name in {host_name(entry) for entry in allowed}):
        return None
    return problem("host_unknown", host=ascii(name[:100])[1:-1])


def host_name(host: str) -> str:
    """The name in a Host value, without its port, lower-cased; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name = host.partition(":")[0] if host.count(":") == 1 else host
    return name.removesuffix(".").lower()


def is_loopback(name: str) -> bool:
    """Whether a name can only mean this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
