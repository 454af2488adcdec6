"""The filters a person filled in, and the address of the list that they make."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from web.api.desk import CallerRequest
from web.guard_sign_in import asking_page

NAMES = ("reference", "state", "touchpoint", "since", "until", "destination", "id", "key", "tests")


def chosen_names(query: Mapping[str, Any]) -> dict[str, str]:
    """The filters a person filled in, bounded."""
    return {name: value for name in NAMES if (value := str(query.get(name, "")).strip()[:400])}


def number_in(text: str | None) -> int | None:
    """A number of an address, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def list_with(request: CallerRequest, event_id: str) -> str | None:
    """The list whose script asks, with that event open beside it (without one: closed); None from anywhere else."""
    current = asking_page(request.scope["headers"])
    if current.path != "/events":
        return None
    asked = dict(parse_qsl(current.query, max_num_fields=30))
    kept = chosen_names(asked)
    if (before := number_in(asked.get("before"))) is not None:
        kept["before"] = str(before)
    if event_id:
        kept["open"] = event_id
    return f"/events?{urlencode(kept)}" if kept else "/events"


def renamed(request: CallerRequest, event_id: str) -> dict[str, str]:
    """The header that makes the browser's address that of the list as it now is, so that it can be loaded again and kept."""
    here = list_with(request, event_id)
    return {"hx-replace-url": here} if here else {}
