"""The operator page's templates: its own, and below them those of the agent's page, whose building blocks they share."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from web.page import render
from web.page.words import t

_OWN = Path(__file__).with_name("templates")
_PAGE = Path(render.__file__).with_name("templates")


@cache
def environment() -> Environment:
    """All templates. A screen of ours comes before the agent's of that name, which is still there as `page/NAME`."""
    page = FileSystemLoader(_PAGE)
    made = render.environment().overlay(loader=ChoiceLoader([FileSystemLoader(_OWN), page, PrefixLoader({"page": page})]))
    made.globals = {**made.globals, "meter_word": meter_word}
    return made


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """What Litestar needs to render them."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment()))


def fragment(template: str, **values: Any) -> str:
    """A piece of a screen, the same for everybody."""
    return environment().get_template(template).render(values)


def meter_word(used: float) -> str:
    """A part of a quota in words: `12 %`."""
    return t("operator.part", part=f"{min(used, 9.99) * 100:.0f}")
