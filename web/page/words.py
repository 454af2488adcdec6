"""The page's words: one catalogue for each language, `words/<language>/<part>.toml`, so that a translator can work."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, str]:
    """Every text by its key, `part.table.name`; a plural has the keys `….one` and `….other`."""
    found: dict[str, str] = {}
    for part in files("web.page").joinpath("words", language).iterdir():
        if part.name.endswith(".toml"):
            found |= dict(_flat(part.name.removesuffix(".toml"), tomllib.loads(part.read_text(encoding="utf-8"))))
    return found


def _flat(path: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in table.items():
        where = f"{path}.{key}"
        flat += _flat(where, value) if isinstance(value, dict) else [(where, str(value))]
    return flat


def _template(key: str, values: dict[str, Any]) -> str:
    words = catalogue()
    if key in words:
        return words[key]
    return words[f"{key}.one" if values.get("n") == 1 else f"{key}.other"]


def t(key: str, **values: Any) -> str:
    """A text, its `{fields}` filled. A whole number `n` chooses between `.one` and `.other`. Raises KeyError.

    Whole numbers are grouped: 4,812.
    """
    return _template(key, values).format_map({name: _shown(value) for name, value in values.items()})


def th(key: str, **values: Any) -> Markup:
    """The same as markup: the text and plain values are escaped, values that are Markup stay as they are."""
    shown = {name: _shown(value) for name, value in values.items()}
    return Markup(escape(_template(key, values))).format_map(shown)  # noqa: S704 - escaped right here


def known(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in catalogue() or f"{key}.other" in catalogue()


def _shown(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
