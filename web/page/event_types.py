"""Event types to carry on: those that a provider is known to send as marks to set, all others written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from touchpoints.provider import Provider

_MARK = "type:"  # what the name of a mark's field begins with
FIELD = "touchpoint.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMark:
    """One known type."""

    name: str  # of its field
    word: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMarks:
    """The known types, and what is written beside them, one a line."""

    marks: tuple[TypeMark, ...]
    others: str


def type_marks(preset: Provider, given: Mapping[str, str], stored: Sequence[str], *, answered: bool) -> TypeMarks:
    """How the field is laid out: as it was `answered`, else as it is stored."""
    chosen = with_types(preset, given)[FIELD].splitlines() if answered else list(stored)
    return TypeMarks(
        marks=tuple(TypeMark(name=f"{_MARK}{one}", word=one, chosen=one in chosen) for one in preset.types),
        others="\n".join(one for one in chosen if one not in preset.types),
    )


def with_types(preset: Provider, data: Mapping[str, str]) -> dict[str, str]:
    """A form's answer with its marks among the lines of the field that is stored."""
    written = [line.strip() for line in data.get(FIELD, "").splitlines() if line.strip()]
    marked = [one for one in preset.types if f"{_MARK}{one}" in data]
    return {**data, FIELD: "\n".join(dict.fromkeys((*marked, *written)))}
