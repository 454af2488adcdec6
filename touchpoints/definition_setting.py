"""Settings as a declarative table: each row one key of the configuration file, so that reading, documents and tests agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from touchpoints.name import LONGEST_NAME
from touchpoints.problem import Problem, problem

MOST_PROBLEMS = 100

_TYPE_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "a table",
    type(None): "nothing",
}


class Mistake(Exception):
    """What is wrong with one value: a problem code and what its words need."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(slots=True)
class Reading:
    """One reading of a document: every problem on the way, and how a sealed secret's reference becomes its value."""

    clear: Callable[[str], str] = str  # what stands where a secret belongs → the secret; raises Mistake
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, code: str, path: str, **values: Any) -> None:
        """Note a problem; beyond a hundred, one more says so and the rest are left out."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem(code, path=path, **values))
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append(problem("more_problems"))

    def note(self, found: Problem) -> None:
        """Note a problem that is already in words."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(found)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: its name for people, and how it is read, checked and converted. `read` raises Mistake."""

    label: str
    read: Callable[[Any, str, Reading], Any]
    settings: tuple["Setting", ...] = ()  # of a table


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its type, its default as one writes it (None: none), and its meaning in a line."""

    name: str
    kind: Kind
    default: Any
    meaning: str


def shown(text: str) -> str:
    """What a stranger wrote, short and harmless, to be named in a problem; a name that is allowed stands there whole."""
    return ascii(text[:LONGEST_NAME])[1:-1] + ("…" if len(text) > LONGEST_NAME else "")


def join(path: str, key: str) -> str:
    """The path of a key within a table."""
    return f"{path}.{shown(key)}" if path else shown(key)


def type_name(value: object) -> str:
    """What TOML calls a value."""
    return _TYPE_NAMES.get(type(value), "a date or time")


def expect(kind: type, value: object, label: str) -> None:
    """Raise the mistake of a wrong type; `true` is no number."""
    if type(value) is not kind:
        raise Mistake("wrong_type", expected=label, found=type_name(value))


def read_table(table: object, settings: Sequence[Setting], path: str, reading: Reading) -> dict[str, Any]:
    """Every setting's converted value; what is wrong is noted and left at its default."""
    values = {setting.name: default_of(setting) for setting in settings}
    if not isinstance(table, dict):
        reading.wrong("wrong_type", path, expected="a table", found=type_name(table))
        return values
    known = {setting.name: setting for setting in settings}
    for key, value in table.items():
        if key in known:
            read_into(values, known[key], value, join(path, key), reading)
        else:
            reading.note(unknown_key(key, list(known), join(path, key)))
    return values


def read_into(values: dict[str, Any], setting: Setting, value: object, path: str, reading: Reading) -> None:
    """Read one value, or note what is wrong with it."""
    try:
        values[setting.name] = setting.kind.read(value, path, reading)
    except Mistake as mistake:
        reading.wrong(mistake.code, path, **mistake.values)


def default_of(setting: Setting) -> Any:
    """A setting's default, converted."""
    return None if setting.default is None else setting.kind.read(setting.default, setting.name, Reading())


def unknown_key(key: str, known: Sequence[str], path: str) -> Problem:
    """The problem of a key that is no setting, with the one that was probably meant."""
    similar = get_close_matches(key.lower(), known, n=1) if len(key) <= 40 else []
    if similar:
        return problem("unknown_key_similar", path=path, key=shown(key), similar=similar[0])
    return problem("unknown_key", path=path, key=shown(key), known=", ".join(known))


def listed(settings: Sequence[Setting], path: str) -> list[tuple[str, str, Any, str]]:
    """(path, type, default, meaning) of every setting, tables opened, for documents and the test that compares them."""
    rows: list[tuple[str, str, Any, str]] = []
    for setting in settings:
        here = f"{path}.{setting.name}" if path else setting.name
        if setting.kind.settings:
            rows += listed(setting.kind.settings, here)
        else:
            rows.append((here, setting.kind.label, setting.default, setting.meaning))
    return rows
