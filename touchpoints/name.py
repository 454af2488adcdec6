"""Names of touchpoints, destinations and proxy domains: safe in a URL, a file name and a log line on every system."""

import re

from touchpoints.problem import Problem, problem

# The proxy's own paths; names that mail, browsers or Windows look for by themselves; names that speak for the operator.
RESERVED_DOMAINS = frozenset(
    {"v1", "health", "hooks", "api", ".well-known", "favicon", "robots", "static", "assets"}
    | {"www", "mail", "smtp", "imap", "pop3", "ftp", "ns1", "ns2", "autoconfig", "autodiscover", "mta-sts", "wpad", "isatap"}
    | {"admin", "administrator", "root", "hookport", "proxy", "operator", "console", "login", "account", "status", "support"}
    | {"security", "abuse", "postmaster", "hostmaster", "webmaster", "localhost", "internal", "default"}
)

LONGEST_NAME = 64
SHORTEST_DOMAIN = 3
LONGEST_DOMAIN = 63  # a label of a host's name: RFC 1035

_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_ALIKE = str.maketrans("0125i8", "olzslb", "-")
_ALIKE_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# Windows opens a device under these names in every folder.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})


def is_valid_name(name: str) -> bool:
    """Whether a touchpoint or destination may be called so: 1 to 64 of `a-z 0-9 - _`, beginning with a letter or digit."""
    return _NAME.fullmatch(name) is not None and name not in _DEVICES


def name_problem(name: str, *, path: str = "", domain: bool = False) -> Problem | None:
    """What is wrong with a name, or None. With `domain`, it is to be a proxy domain: see `_domain_problem`."""
    if domain and (found := _domain_problem(name, path)):
        return found
    if name in _DEVICES:
        return problem("name_device", path=path, name=name)
    if not is_valid_name(name):
        return problem("name_invalid", path=path, name=_shown(name))
    return None


def confusable_form(name: str) -> str:
    """What a hasty reader sees: two domains of the same form are taken for each other. `acrne-1td` looks like `acmeltd`."""
    form = name.translate(_ALIKE)
    for pair, looks_like in _ALIKE_PAIRS:
        form = form.replace(pair, looks_like)
    return form


def _domain_problem(name: str, path: str) -> Problem | None:
    """A domain is a label of a host's name that is not Hookport's own, nor looks like it.

    No `xn--`: what a browser shows for it is not what stands there. No digits alone: they look like a part of an address.
    """
    if name in RESERVED_DOMAINS:
        return problem("name_reserved", path=path, name=name)
    if len(name) < SHORTEST_DOMAIN:
        return problem("domain_short", path=path, name=_shown(name))
    fits = len(name) <= LONGEST_DOMAIN and _DOMAIN.fullmatch(name)
    if not fits or name[2:4] == "--" or name.replace("-", "").isdigit():
        return problem("domain_invalid", path=path, name=_shown(name))
    if other := _RESERVED_FORMS.get(confusable_form(name)):
        return problem("domain_confusable", path=path, name=name, other=other)
    return None


def _shown(name: str) -> str:
    return ascii(name[:LONGEST_NAME])[1:-1]


_RESERVED_FORMS = {confusable_form(name): name for name in sorted(RESERVED_DOMAINS)}
