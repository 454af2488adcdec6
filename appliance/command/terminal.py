"""Speaking to a person in a terminal, where what strangers sent must not act."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import click

# C0 and C1 controls, line separators, and what turns the direction of text around.
_ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def safe(text: str) -> str:
    """Text on one line in which control characters are spelled out, e.g. `\\x1b`."""
    return _ACTIVE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def safe_lines(text: str) -> str:
    """The same, with its line ends kept."""
    return "\n".join(map(safe, text.splitlines()))


def tell(message: str) -> None:
    """A message, on stderr."""
    click.echo(safe(message), err=True)


def show(line: str = "") -> None:
    """A line of the answer, on stdout."""
    click.echo(safe(line))


def moment(told: str | None) -> str:
    """A moment of the API for a column, to the second, or `never`."""
    return f"{told[:19]}Z" if told else "never"


def show_json(answer: Any) -> None:
    """The answer as one JSON object, ASCII only."""
    click.echo(json.dumps(answer, indent=2))


def show_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The answer in columns as wide as they must be."""
    cells = [[safe("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[number]) for row in cells), 0) for number, head in enumerate(heads)]
    for line in (list(heads), *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
