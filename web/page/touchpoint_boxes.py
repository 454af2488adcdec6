"""The boxes that a touchpoint's settings are laid out in, and which of them its provider lets one choose."""

from collections.abc import Mapping
from typing import Any

from touchpoints.definition import TOUCHPOINT
from touchpoints.provider import Provider, provider
from touchpoints.provider_settings import provider_settings
from web.page.entry import Place, places

FORM = "touchpoint"
ALL = places(TOUCHPOINT)
_VERIFY = tuple(path for path in ALL if path.startswith("verify."))
BOXES: dict[str, tuple[str, ...]] = {
    "state": ("state",),
    "verification": (*_VERIFY, "credential", "handshake", "verify_token", "public_url"),
    "events": ("events", "event_type", "reference", "split", "items"),
    "dedup": ("dedup.key",),
    "retry": ("retry.schedule",),
    "aliases": ("aliases",),
    "more": ("networks", "client_certificates"),
}


def fields(box: str, preset: Provider) -> dict[str, Place]:
    """The settings of a box that this provider has a use for."""
    settings = provider_settings(preset)
    closed = {path for path in ALL if _needed_by(path) not in (*settings, "")}
    return {path: ALL[path] for path in BOXES[box] if path not in closed}


def _needed_by(path: str) -> str:
    """The setting of a provider without which a field is left out; empty for a field that every provider has."""
    first = path.partition(".")[0]
    if first in {"handshake", "items"}:
        return "verify"
    return first if first in {"verify", "credential", "dedup", "verify_token", "split"} else ""


def defaults(name: str) -> Mapping[str, Any]:
    """What a provider's preset has where nothing is written."""
    preset = provider(name)
    return {
        **{f"verify.{key}": value for key, value in preset.verify.items() if isinstance(value, str | list)},
        "event_type": preset.event_type,
        "reference": preset.reference,
        "dedup.key": preset.dedup.get("key", "none"),
        "credential": preset.verify.get("credential", ""),
        "handshake": preset.handshake,
        "items": preset.items or "",
    }
