"""Rules: how one value stands in JSON, and what is taken for it. Lengths are looked at before anything is made of them."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from touchpoints.pull.malformed import PullMalformed

LARGEST = 2**63 - 1  # what a database's integer holds


@dataclass(frozen=True, slots=True)
class Rule:
    """Both directions. `read` takes what JSON may hold and raises PullMalformed."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


def text(form: re.Pattern[str]) -> Rule:
    """A text of that form, which also bounds its length."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or form.fullmatch(value) is None:
            raise PullMalformed("not a text of the form it should have")
        return value

    return Rule(read)


def label(longest: int, *, shortest: int = 0) -> Rule:
    """A text that people read: printable, no line's end, nothing that steers a terminal."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest or not value.isprintable():
            raise PullMalformed("not a short printable text")
        return value

    return Rule(read)


def words(longest: int) -> Rule:
    """A text that is only shown: cut and cleaned, so that one strange word spoils nothing else."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise PullMalformed("not a text")
        return "".join(character if character.isprintable() else " " for character in value[:longest])

    return Rule(read)


def whole(low: int = 0, high: int = LARGEST) -> Rule:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise PullMalformed(f"not a whole number from {low} to {high}")
        return value

    return Rule(read)


def seconds(high: float) -> Rule:
    """A span in seconds, from 0."""

    def read(value: Any) -> float:
        if type(value) not in {int, float} or not 0 <= value <= high:
            raise PullMalformed(f"not a number of seconds from 0 to {high}")
        return float(value)

    return Rule(read)


def flag() -> Rule:
    """True or false."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise PullMalformed("neither true nor false")
        return value

    return Rule(read)


def data(low: int, high: int, *, fits: Callable[[bytes], bool] = lambda _: True) -> Rule:
    """Bytes as Base64 (RFC 4648, padded), so many in clear."""

    def read(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) > (high + 2) // 3 * 4:
            raise PullMalformed("not Base64 of the length it should have")
        try:
            found = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise PullMalformed("not Base64") from error
        if not low <= len(found) <= high or not fits(found):
            raise PullMalformed("not Base64 of what it should be")
        return found

    return Rule(read, lambda value: base64.b64encode(value).decode())


def many(rule: Rule, most: int, *, least: int = 0) -> Rule:
    """A list."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise PullMalformed(f"not a list of {least} to {most}")
        return tuple(rule.read(one) for one in value)

    return Rule(read, lambda value: [rule.write(one) for one in value])


def table(key: Rule, rule: Rule, most: int) -> Rule:
    """An object with keys of the sender's choice."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most:
            raise PullMalformed(f"not an object of at most {most} keys")
        return {key.read(name): rule.read(one) for name, one in value.items()}

    return Rule(read, lambda value: {name: rule.write(one) for name, one in value.items()})


def span() -> Rule:
    """First and last of something, or null."""
    number = whole()

    def read(value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            raise PullMalformed("neither null nor a pair")
        first, last = number.read(value[0]), number.read(value[1])
        if first > last:
            raise PullMalformed("a pair that goes backwards")
        return first, last

    return Rule(read)


def read_fields(kind: type, rules: Mapping[str, Rule], value: Any) -> dict[str, Any]:
    """The fields of a dataclass out of a JSON object. One left out has its default; one unknown is passed over."""
    if not isinstance(value, dict):
        raise PullMalformed("not an object")
    needed = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    found: dict[str, Any] = {}
    for name, rule in rules.items():
        if name in value:
            try:
                found[name] = rule.read(value[name])
            except PullMalformed as error:
                raise PullMalformed(f"{name}: {error.reason}") from error
        elif name in needed:
            raise PullMalformed(f"{name} is missing")
    return found


def write_fields(rules: Mapping[str, Rule], value: Any) -> dict[str, Any]:
    """The JSON object of a dataclass."""
    return {name: rule.write(getattr(value, name)) for name, rule in rules.items()}


def record(kind: type, rules: Mapping[str, Rule], *, check: Callable[[Any], None] | None = None) -> Rule:
    """An object that is a dataclass's value; `check` looks at it as a whole and raises PullMalformed."""

    def read(value: Any) -> Any:
        made = kind(**read_fields(kind, rules, value))
        if check is not None:
            check(made)
        return made

    return Rule(read, lambda value: write_fields(rules, value))
