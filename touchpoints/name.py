"""Names of touchpoints, destinations and proxy domains: safe in a URL, a file name and a log line on every system."""

import re

from touchpoints.problem import Problem, problem

RESERVED_DOMAINS = frozenset({"v1", "health", "hooks", "api", ".well-known"})

LONGEST_NAME = 64

_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
# Windows opens a device under these names in every folder.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})


def is_valid_name(name: str) -> bool:
    """Whether a touchpoint or destination may be called so: 1 to 64 of `a-z 0-9 - _`, beginning with a letter or digit."""
    return _NAME.fullmatch(name) is not None and name not in _DEVICES


def name_problem(name: str, *, path: str = "", domain: bool = False) -> Problem | None:
    """What is wrong with a name, or None. With `domain`, the names that are Hookport's own are refused too."""
    if domain and name in RESERVED_DOMAINS:
        return problem("name_reserved", path=path, name=name)
    if name in _DEVICES:
        return problem("name_device", path=path, name=name)
    if not is_valid_name(name):
        return problem("name_invalid", path=path, name=ascii(name[:LONGEST_NAME])[1:-1])
    return None
