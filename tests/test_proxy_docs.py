"""The proxy's page is true: its settings are those of the code, its examples hold."""

import re

import pytest

from store.document import parse
from store.server_definition import ALL_SERVER_SETTINGS, read_server_configuration
from tests.docs.page import DOCS, Block, blocks, generated
from touchpoints.definition_setting import Reading

PAGE = DOCS / "proxy.md"


def test_every_setting_of_the_proxy_stands_in_its_table() -> None:
    """None is left out."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|", generated(PAGE.read_text(encoding="utf-8")), re.MULTILINE)
    assert rows == [path.partition(".")[2] for path, *_ in ALL_SERVER_SETTINGS]


@pytest.mark.parametrize("block", blocks(PAGE, "toml proxy"), ids=lambda block: block.text[:60])
def test_the_proxys_configuration_examples_hold(block: Block) -> None:
    """Each is read without a problem."""
    reading = Reading()
    read_server_configuration(parse(block.text.encode()), reading)
    assert [str(one) for one in reading.problems] == []
