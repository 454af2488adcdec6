"""The catalogue of the page's words, and that whoever asks it for a text finds one."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from markupsafe import Markup

import web.page
from web.page.words import catalogue, known, t, th

PAGE = Path(web.page.__file__).parent
ASKED = re.compile(r"""\bth?\(\s*"([a-z0-9_.]+)"(?!\s*~)\s*[,)]""")


def test_a_text_is_filled_and_numbers_are_grouped() -> None:
    """Fields are filled in, and large numbers are grouped by thousands."""
    assert t("home.road.running", n=4812) == "4,812 running"


def test_a_plural_is_chosen_by_the_number() -> None:
    """`n` chooses between one and other."""
    assert t("base.days", n=1) == "1 day"
    assert t("base.days", n=2) == "2 days"


def test_markup_escapes_what_strangers_sent_and_keeps_ours() -> None:
    """A plain value is escaped, a value that is markup stays."""
    assert th("base.ago", span="<b>") == "&lt;b&gt; ago"
    assert th("base.ago", span=Markup("<b>x</b>")) == "<b>x</b> ago"


def test_an_unknown_key_is_an_error() -> None:
    """A missing text shows in tests, not as an empty place."""
    assert not known("base.nothing")
    with pytest.raises(KeyError):
        t("base.nothing")


def test_every_text_that_is_asked_for_is_there() -> None:
    """Each key named in a template or in Python is in the catalogue."""
    files = [*PAGE.glob("templates/*.html"), *PAGE.rglob("*.py")]
    asked = {(file.name, key) for file in files for key in ASKED.findall(file.read_text(encoding="utf-8")) if "." in key}
    assert len(asked) > 50
    assert [(name, key) for name, key in sorted(asked) if not known(key)] == []


def test_texts_hold_plain_fields_only() -> None:
    """No text reaches into what it is given: a translation is not a program."""
    for key, text in catalogue().items():
        fields = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        assert all(field.isidentifier() for field in fields), key


def test_the_page_speaks_only_through_the_catalogue() -> None:
    """No template holds a sentence of its own."""
    for file in PAGE.glob("templates/[!m]*.html"):  # macros.html is made of attributes
        text = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<code>.*?</code>|<[^>]*>", " ", file.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        words = re.findall(r"[A-Za-z]{4,}", text)
        assert set(words) <= {"Hookport"}, (file.name, words)


def test_python_names_words_not_sentences() -> None:
    """What `t` is given first is a key, never a sentence."""
    for file in PAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") in ("t", "th")
                and isinstance(node.args[0], ast.Constant)
            ):
                assert " " not in str(node.args[0].value), (file.name, node.lineno)
