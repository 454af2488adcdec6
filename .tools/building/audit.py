"""The audit of what Hookport stands on: installed is what is locked; and no hole of it is published, where that can be asked.

Holes are asked of the OSV database (its API as osv.dev documents it: POST /v1/querybatch), by name and version alone.
"""

import json
import re
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPException
from importlib.metadata import distributions
from pathlib import Path

from building.place import LOCKS, ROOT, say

SERVICE = "https://api.osv.dev/v1/querybatch"
PATIENCE = 10.0  # seconds
WAYS_OUT = "take a newer version with build.py lock --upgrade, or say in .requirements/accepted-holes.toml why it is none"
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")
# What a new environment holds before anything is installed into it, and Hookport itself.
_UNLOCKED = {"pip", "setuptools", "wheel", "hookport"}


def audit() -> str:
    """What is wrong, a line each; empty: nothing.

    Where nobody can be asked for published holes, that is said and is no fault.
    """
    wanted = locked(LOCKS / "dev.txt")
    wrong = list(strangers(wanted, installed(ROOT / ".venv")))
    try:
        known = accepted(LOCKS / "accepted-holes.toml")
    except ValueError as error:
        return "\n".join([*wrong, str(error)])
    try:
        wrong += [f"{hole}: {WAYS_OUT}" for hole in holes(wanted, known, SERVICE)]
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        say(f"· published holes could not be asked for ({type(error).__name__}): only what is installed was compared")
    return "\n".join(wrong)


def locked(file: Path) -> dict[str, str]:
    """Versions by name of a lock file."""
    found = (_PINNED.match(line) for line in file.read_text(encoding="utf-8").splitlines())
    return {_plain(one[1]): one[2] for one in found if one}


def installed(environment: Path) -> dict[str, str]:
    """Versions by name of what an environment holds."""
    places = [str(place) for place in (*environment.glob("lib/python*/site-packages"), environment / "Lib" / "site-packages")]
    return {_plain(one.name): one.version for one in distributions(path=places)}


def strangers(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """What is installed in another version than the locked one, or without being locked at all."""
    for name, version in sorted(found.items()):
        if name not in _UNLOCKED and wanted.get(name) != version:
            yield f"{name} {version} is installed, and {wanted.get(name, 'none')} is locked: run build.py again"


def holes(wanted: Mapping[str, str], known: Iterable[str], service: str) -> Iterator[str]:
    """Published holes of locked packages but the `known` ones. Raises OSError, HTTPException or ValueError."""
    asked = sorted(wanted.items())
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in asked]
    request = urllib.request.Request(  # noqa: S310 - a constant address, or a test's own server
        service, json.dumps({"queries": queries}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
        results = json.load(answer)["results"]
    if len(results) != len(asked):
        raise ValueError("another number of answers than of questions")
    found = [
        (name, version, hole["id"])
        for (name, version), one in zip(asked, results, strict=True)
        for hole in one.get("vulns", ())
    ]
    return (f"{name} {version} has the published hole {hole}" for name, version, hole in found if hole not in set(known))


def accepted(file: Path) -> set[str]:
    """Ids of holes that do not concern us, each a table that says `why`. Raises ValueError where that is missing."""
    if not file.exists():
        return set()
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file.name} is no TOML: {error}") from error
    if unsaid := [name for name, table in tables.items() if not (isinstance(table, dict) and table.get("why"))]:
        raise ValueError(f"{file.name} does not say why of {', '.join(unsaid)}")
    return set(tables)


def _plain(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
