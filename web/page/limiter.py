"""The limiter: in whose name a try to sign in is counted. `store.door` counts, and says how long to wait."""

import ipaddress

from web.guard_host import is_loopback

_LONGEST_NAME = 64


def subjects(person: str, address: str) -> tuple[str, str]:
    """The account and the address of a try.

    - An account is counted apart for this machine and for all others: a stranger's tries keep nobody out who is at the server.
    - Of an IPv6 address the network counts, since one machine has a whole one.
    """
    near = is_loopback(address)
    account = person.strip().casefold()[:_LONGEST_NAME]
    return f"account:{'here' if near else 'elsewhere'}:{account}", f"address:{_network(address)}"


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None or found.version == 4:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, 64), strict=False))
