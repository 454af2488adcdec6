"""The pictures of the documents: all there, small, shown by documents that exist, and paintable from a real agent."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.docs.page import DOCS, PAGES, ROOT
from tests.docs.pictures import COMMAND, NAMES, NARROW, PICTURES, WIDTH, chunks, paint, size
from tests.page.browser import needs_chromium

MOST = 160_000  # bytes
_SHOWN = re.compile(r"!\[([^\]]*)\]\(([^()\s]+)\)")


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_there_and_small(name: str) -> None:
    """Each stands in docs/pictures, as wide as it should be, without anything in it but the picture."""
    file = PICTURES / name
    assert file.is_file(), f"{name} is missing; paint it with: {COMMAND}"
    png = file.read_bytes()
    assert len(png) < MOST, f"{name} is too large; paint it anew with: {COMMAND}"
    assert size(png)[0] == (NARROW if "narrow" in name else WIDTH)
    assert {kind for kind, _ in chunks(png)} <= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_no_picture_lies_about_unpainted() -> None:
    """What stands in the folder is painted by the command, so that none grows old by itself."""
    assert {file.name for file in PICTURES.iterdir()} == set(NAMES), f"paint them anew with: {COMMAND}"


def test_documents_show_pictures_that_exist_with_words_for_who_cannot_see() -> None:
    """Every picture that a document shows is one of ours, with a text; every one of ours, or its twin, is shown somewhere."""
    shown: set[str] = set()
    for page in PAGES:
        for words, link in _SHOWN.findall(page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            assert target.is_file(), f"{page.name} shows {link}; paint it with: {COMMAND}"
            assert len(words) > 10, link
            shown.add(target.name)
    light = {name.replace("-dark", "-light") for name in NAMES}
    assert light - {name.replace("-dark", "-light") for name in shown} == set()


def test_the_page_has_a_tour_that_the_readme_leads_to() -> None:
    """Whoever reads the README finds the page's own document."""
    assert "](docs/page.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    text = (DOCS / "page.md").read_text(encoding="utf-8")
    assert "ssh -L 8421:127.0.0.1:8421" in text
    for key in ("`/`", "`j`", "`k`", "`enter`", "`esc`", "`?`"):
        assert key in text


@needs_chromium
@pytest.mark.anyio
@pytest.mark.timeout(120)
async def test_the_pictures_can_be_painted(tmp_path: Path) -> None:
    """By a real agent after an hour's work, into any folder; only the command writes into the documents'."""
    await paint(tmp_path, minutes=4)
    painted = {name: len(await asyncio.to_thread((tmp_path / name).read_bytes)) for name in NAMES}
    assert {name: many for name, many in painted.items() if not 10_000 < many < MOST} == {}
