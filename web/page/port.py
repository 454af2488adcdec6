"""The port in a form: as it was typed, and the free one that is offered in the place of a taken one."""

from collections.abc import Iterable

from touchpoints.problem import Problem


def port_of(text: str) -> int | None:
    """A port as it was typed."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535 else None


def free_port(problems: Iterable[Problem]) -> object:
    """The free port that a problem names; None where none does."""
    return next((one.values["free"] for one in problems if one.values.get("free")), None)
