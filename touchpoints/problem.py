"""A problem a person meets: a stable code, a sentence, and what to do. The words live in `problems/*.toml`, for translators."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and how it is mended."""

    code: str
    text: str
    mend: str
    path: str = ""  # where in the configuration or request, e.g. touchpoint.orders.secrets[0]
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # what the words were filled with

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.text} {self.mend}".strip() + f" [{self.code}]"

    def as_json(self) -> dict[str, str]:
        """The shape of a problem in every JSON answer."""
        return {"code": self.code, "text": self.text, "mend": self.mend, "path": self.path}


class ProblemError(Exception):
    """Something a person must mend; carries one or more problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every code with its `text` and `mend` templates. Raises ValueError when two parts name the same code."""
    words: dict[str, dict[str, str]] = {}
    for part in sorted(files("touchpoints").joinpath("problems").iterdir(), key=lambda entry: entry.name):
        if part.name.endswith(".toml"):
            more = tomllib.loads(part.read_text(encoding="utf-8"))
            if twice := words.keys() & more.keys():
                raise ValueError(f"codes named twice: {sorted(twice)}")
            words |= more
    return words


def problem(code: str, *, path: str = "", **values: Any) -> Problem:
    """A problem by its code, its templates filled with values. Raises KeyError for a code that is not in the catalogue."""
    words = catalogue()[code]
    return Problem(code, words["text"].format_map(values), words.get("mend", "").format_map(values), path, values)
