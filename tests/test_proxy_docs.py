"""The proxy's page is true: its settings are those of the code, its examples hold."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store.document import parse
from store.server_definition import ALL_SERVER_SETTINGS, read_server_configuration
from tests.docs.page import DOCS, Block, blocks, generated
from tests.web.proxy.kit import proxy_over
from touchpoints.definition_setting import Reading
from touchpoints.pull.frames import batch_from_json

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


@pytest.mark.anyio
@pytest.mark.skipif(
    not all(shutil.which(program) for program in ("curl", "openssl", "xxd", "awk")), reason="the page's agent is a shell script"
)
async def test_the_shell_agent_of_the_page_pulls(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Its lines as they stand there, from the keys to the event: curl signs, is answered in JSON, and the proof holds."""
    page = DOCS / "pull-protocol.md"
    (keys,), (agent,) = blocks(page, "sh pull keys"), blocks(page, "sh pull")
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        acme = await site.tenant("acme")
        assert (await site.post(acme, body=b'{"order": 1042}')).status_code == 200
        shell = await asyncio.create_subprocess_exec(
            "sh",
            "-euc",
            keys.text + agent.text,
            cwd=tmp_path,
            env={
                "PATH": os.defpath,
                "PROXY": site.url,
                "AGENT": acme.pairing.agent_id,
                "SIGNING_KEY": acme.pairing.signing_key.hex(),
                "PROXY_KEY": acme.pairing.proxy_key.hex(),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, wrong = await asyncio.wait_for(shell.communicate(), 30)
    assert shell.returncode == 0, wrong.decode()
    assert said.decode().count("Signature Verified Successfully") == 2
    batch = json.loads((tmp_path / "answer.json").read_bytes())
    assert batch["epoch"] > 0
    [event] = acme.opened(batch_from_json((tmp_path / "answer.json").read_bytes()))
    assert event.body == b'{"order": 1042}'
