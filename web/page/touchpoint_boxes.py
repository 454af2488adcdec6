"""The boxes that a touchpoint's settings are laid out in, and which of them its provider lets one choose."""

from collections.abc import Mapping
from typing import Any

from touchpoints.definition import TOUCHPOINT
from touchpoints.provider import provider
from web.page.entry import Place, places

FORM = "touchpoint"
ALL = places(TOUCHPOINT)
_VERIFY = tuple(path for path in ALL if path.startswith("verify."))
BOXES: dict[str, tuple[str, ...]] = {
    "state": ("state",),
    "sender": ("provider",),
    "verification": (*_VERIFY, "credential", "verify_token", "public_url"),
    "events": ("events", "event_type", "reference"),
    "dedup": ("dedup.key",),
    "retry": ("retry.schedule",),
    "aliases": ("aliases",),
}


def fields(box: str, open_to: tuple[str, ...], *, handshake: bool) -> dict[str, Place]:
    """The settings of a box that this provider lets one choose."""
    closed = {
        *(() if "verify" in open_to else _VERIFY),
        *(() if {"verify", "credential"} & {*open_to} else ("credential",)),
        *(() if "dedup" in open_to else ("dedup.key",)),
        *(() if handshake or "verify" in open_to else ("verify_token",)),
    }
    return {path: ALL[path] for path in BOXES[box] if path not in closed}


def defaults(name: str) -> Mapping[str, Any]:
    """What a provider's preset has where nothing is written."""
    preset = provider(name)
    return {
        "event_type": preset.event_type,
        "reference": preset.reference,
        "dedup.key": preset.dedup.get("key", "none"),
        "credential": "",
    }
