"""Reading a document: its code blocks, its links, its anchors, and the part that is generated."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])

BEGIN = "<!-- generated: `python -m tests.docs` writes it -->"
END = "<!-- end of what is generated -->"

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_TABLE = re.compile(r"(?:^\|.*\n?)+", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block; `info` is what stands behind its fence, e.g. `sh runs`."""

    page: str
    info: str
    text: str


def blocks(page: Path, info: str = "") -> list[Block]:
    """The code blocks of a page, or those with this info."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(page=page.name, info=here, text=text) for here, text in found if info in ("", here)]


def section(page: Path, heading: str) -> str:
    """The text below a heading, up to the next of its level."""
    text = page.read_text(encoding="utf-8")
    start = text.index(f"\n## {heading}\n")
    return text[start : text.find("\n## ", start + 1)]


def fences(text: str) -> list[tuple[str, str]]:
    """(info, text) of every code block in a text."""
    return _FENCE.findall(text)


def links(page: Path) -> list[str]:
    """Every link of a page, code left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def tables(page: Path) -> list[list[list[str]]]:
    """Every table of a page, code left out: its rows with their cells; the second row is the rule below the head."""
    found = _TABLE.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return [[[cell.strip() for cell in _BAR.split(row)[1:-1]] for row in table.splitlines()] for table in found]


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#`, as code hosts make it from headings."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """What a link to a heading names."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every `hookport …` in shell text: what stands before a pipe, a redirection or a comment."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:sudo (?:-u \S+ )?)?(?:\S*/)?hookport (.*)", line)
        if found:
            words = list(shlex.shlex(found[1], posix=True, punctuation_chars="|<>&;"))
            yield _before_punctuation(found[1], words)


def _before_punctuation(text: str, words: list[str]) -> list[str]:
    for word in words:
        if word and set(word) <= set("|<>&;"):
            return shlex.split(text[: text.index(word)], comments=True)
    return shlex.split(text, comments=True)


def generated(text: str) -> str:
    """The generated part of a page."""
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


def with_generated(text: str, part: str) -> str:
    """The page with its generated part replaced."""
    return f"{text[: text.index(BEGIN)]}{BEGIN}\n\n{part.strip()}\n\n{text[text.index(END) :]}"
