"""The documents are true: their links lead somewhere, their commands run, their tables are those of the code."""

import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import httpx
import pytest
import structlog
from click.testing import CliRunner

from appliance import VERSION
from appliance.command.events import ACTIONS
from appliance.command.root import hookport
from appliance.selection import STATES
from store.document import parse
from store.secret_source import is_source
from store.settings_definition import ALL_SETTINGS, read_configuration
from tests.docs.generated import GENERATED
from tests.docs.page import DOCS, PAGES, ROOT, Block, anchors, blocks, commands, fences, generated, links, section, tables
from touchpoints.definition_setting import Reading
from touchpoints.provider import providers
from touchpoints.span import parse_span
from touchpoints.touchpoint import STANDARD_SCHEDULE
from web.api.shapes import Problems, Status, TouchpointList
from web.export.row import COLUMNS

README = ROOT / "README.md"
README_STEPS = "Your first delivery in five minutes"
COMMAND = [sys.executable, "-c", "from appliance.command import main; main()"]
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Commands that run in this process set up logs; put back what was there."""
    root = logging.getLogger()
    before, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def names(group: click.Group, *path: str) -> Iterator[str]:
    """Every command that does something, by its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from names(command, *path, name)
        else:
            yield " ".join((*path, name))


def parse_command(words: list[str]) -> None:
    """Parse arguments as the command line would, and run nothing. Raises click.ClickException."""
    command: click.Command = hookport
    if not words or words[0].startswith("-"):
        words = ["run", *words]
    while isinstance(command, click.Group):
        if words[:1] == ["--help"]:
            return
        if "run" in command.commands and (not words or words[0].startswith("-")):
            words = ["run", *words]
        found = command.commands.get(words[0] if words else "")
        if found is None:
            raise click.UsageError(f"no command {words[:1]}")
        command, words = found, words[1:]
    if "--help" not in words:
        command.make_context("hookport", list(words)).close()


def shell(*infos: str) -> list[Block]:
    """The shell blocks of all pages."""
    return [block for page in PAGES for block in blocks(page) if block.info in infos]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link into this repository names a file that is there, and a heading that is in it."""
    dead = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_test_that_a_page_names_is_there() -> None:
    """What is said to hold an attack off can be run."""
    known = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    named = {one for page in PAGES for one in re.findall(r"`((?:tests/[a-z_/]+/)?test_[a-z_]+\.py)`", page.read_text("utf-8"))}
    assert len(named) > 30
    assert [one for one in sorted(named) if not any(f"/{file}".endswith(f"/{one}") for file in known)] == []


def test_every_table_is_whole() -> None:
    """A row that a blank line tears off, or that has a cell too few or too many, is shown as something else."""
    torn = [
        (page.name, table[0])
        for page in PAGES
        for table in tables(page)
        if len({len(row) for row in table}) > 1 or not table[1:] or set("".join(table[1])) - set(":-")
    ]
    assert torn == []


def test_every_page_can_be_found_from_the_readme() -> None:
    """No document is an orphan."""
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in links(README) if "://" not in link}
    assert set(PAGES) - linked - {README} == set()


@pytest.mark.parametrize("name", GENERATED)
def test_generated_parts_are_up_to_date(name: str) -> None:
    """Tables that come from the code are what the code says now; `python -m tests.docs` writes them anew."""
    assert generated((DOCS / name).read_text(encoding="utf-8")) == GENERATED[name]().strip(), "run: python -m tests.docs"


def test_every_setting_stands_in_the_table() -> None:
    """No setting is left out of the configuration's page."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|", generated((DOCS / "configuration.md").read_text(encoding="utf-8")), re.MULTILINE)
    assert len(rows) == len(ALL_SETTINGS)
    assert {path.rpartition(".")[2] for path, *_ in ALL_SETTINGS} == {row.rpartition(".")[2] for row in rows}


def test_every_command_is_documented() -> None:
    """The command line's page names each command of the program."""
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in names(hookport) if f"hookport {name}" not in text] == []


def test_every_option_is_documented() -> None:
    """No option is left out of the documents, nor is one named that does not exist."""
    known = {"--prune", "--upgrade"}  # of build.py and of programs of the system
    options: set[str] = {"--help", "--version"}
    for name in names(hookport):
        command: click.Command = hookport
        for word in name.split():
            command = command.commands[word] if isinstance(command, click.Group) else command
        shown = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        options |= {opt for one in shown for opt in one.opts if opt.startswith("--")}
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert options - named - {"--version"} == set()
    assert named - options - known == set()


@pytest.mark.parametrize("block", shell("sh", "sh runs"), ids=lambda block: f"{block.page}: {block.text.strip()[:40]}")
def test_commands_are_possible(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `hookport …` of a shell block names commands, options and values that exist."""
    monkeypatch.chdir(tmp_path)
    for name in ("hookport.toml", "proxy.toml", "order.json"):
        (tmp_path / name).touch()
    for words in commands(block.text):
        parse_command(words)


def sentence_commands() -> list[str]:
    """What stands as `hookport …` in running text, left out where a problem fills in the name."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    return sorted({one for text in texts for one in re.findall(r"`hookport ([^`‹]+)`", text)})


@pytest.mark.parametrize("command", sentence_commands())
def test_commands_named_in_a_sentence_exist(command: str) -> None:
    """A command in running text is one of the program's, too, though it may be cut short."""
    tree: click.Command = hookport
    for word in shlex.split(command):
        if not isinstance(tree, click.Group) or word.startswith("-"):
            break
        assert word in tree.commands, command
        tree = tree.commands[word]
    options = {opt for one in tree.params for opt in one.opts} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z-]+", command))
    assert named - options == set() or tree is hookport


def test_blocks_that_run_do_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line's page marks as running is run, in its order, on a folder of its own."""
    touchpoint = (
        '[[touchpoint]]\nname = "{name}"\nprovider = "shopify"\nsecrets = ["a secret"]\n'
        "[[touchpoint.destination]]\nkind = \"folder\"\npath = '{path}'\n"
    )
    configured = [touchpoint.format(name=name, path=tmp_path / "in") for name in ("orders", "stock")]
    (tmp_path / "hookport.toml").write_text("".join(configured), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPORT_DATA_DIR", str(tmp_path / "data"))
    runner = CliRunner()
    assert runner.invoke(hookport, ["config", "apply", "hookport.toml"]).exit_code == 0
    failed = []
    for block in blocks(DOCS / "command-line.md", "sh runs"):
        for words in commands(block.text):
            result = runner.invoke(hookport, words, prog_name="hookport")
            if result.exit_code != (1 if words[0] == "status" else 0):  # nothing runs here, which status tells by 1
                failed.append((words, result.exit_code, result.output))
    assert failed == []
    assert (tmp_path / "deliveries.xlsx").is_file()


def toml_blocks() -> list[Block]:
    """Every piece of configuration in the documents."""
    return [block for page in PAGES for block in blocks(page, "toml")]


@pytest.mark.parametrize("block", toml_blocks(), ids=lambda block: f"{block.page}: {block.text.strip()[:50]!r}")
def test_configuration_examples_hold(block: Block) -> None:
    """Every example of the configuration is read without a problem."""
    text = block.text
    if text.startswith("[[touchpoint.destination]]"):
        text = f'[[touchpoint]]\nname = "x"\nprovider = "github"\nsecrets = ["s"]\n{text}'
    document = parse(text.replace('ca = "', 'ca = "/').encode())
    reading = Reading(clear=lambda secret: WHSEC if is_source(secret) else secret)
    read_configuration(document, {}, reading)
    assert [str(one) for one in reading.problems] == []


def test_every_provider_has_a_section() -> None:
    """Each provider stands in the overview, and has a section below it that tells what is pasted where."""
    text = (DOCS / "providers.md").read_text(encoding="utf-8")
    assert [one.label for one in providers().values() if text.count(f"\n### {one.label}\n") != 1] == []
    assert [one.name for one in providers().values() if text.count(f" | `{one.name}` | ") != 1] == []


def test_every_example_names_a_provider() -> None:
    """The examples of the configuration show providers that there are, and generic among them."""
    used = set(re.findall(r'^provider = "(.+)"$', "".join(block.text for block in toml_blocks()), re.MULTILINE))
    assert "generic" in used
    assert used <= set(providers())


def test_the_columns_of_the_export_are_documented() -> None:
    """The export's page lists every column, in the order of the file."""
    rows = re.findall(r"^\| `([a-z_]+)` \|", section(DOCS / "export.md", "Columns"), re.MULTILINE)
    assert rows == list(COLUMNS)


def test_the_states_are_documented() -> None:
    """The export's page explains every state that a filter takes."""
    assert re.findall(r"^\| `([a-z_]+)` \|", section(DOCS / "export.md", "States"), re.MULTILINE) == list(STATES)


def test_the_headers_of_a_delivery_are_documented() -> None:
    """What a destination gets beside the sender's own headers stands in a table, every header of it."""
    source = (ROOT / "touchpoints" / "destinations" / "http.py").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(Hookport-[\w-]+)` \|", section(DOCS / "deliveries.md", "HTTP"), re.MULTILINE)
    assert set(rows) == set(re.findall(r'b"(Hookport-[\w-]+)"', source))


def test_the_actions_are_documented() -> None:
    """Each action on events stands in the table of what one can do."""
    rows = re.findall(r"^\| `([a-z-]+)` \|", section(DOCS / "deliveries.md", "What you can do"), re.MULTILINE)
    assert set(rows) == set(ACTIONS)
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert [action for action, _ in ACTIONS.values() if f"`{action}`" not in text] == []


def test_the_default_schedule_is_documented() -> None:
    """The retry schedule in words is the one in the code."""
    spans = [parse_span(span.replace(" ", "").replace("min", "m")) for span in written_schedule()]
    assert spans == list(STANDARD_SCHEDULE)


def written_schedule() -> list[str]:
    """The spans of the sentence about the retry schedule."""
    sentence = re.search(r"\*\*The retry schedule\*\* is (.+?), each", (DOCS / "deliveries.md").read_text(encoding="utf-8"))
    assert sentence is not None
    return sentence[1].split(", ")


@pytest.mark.parametrize("shape", [Status, TouchpointList, Problems], ids=lambda shape: str(shape.__name__))
def test_json_examples_have_the_shape_of_the_answer(shape: type) -> None:
    """An example of an answer has exactly the keys that the answer has."""
    keys = set(shape.__annotations__)
    examples = [json.loads(block.text) for page in PAGES for block in blocks(page, "json")]
    assert [set(example) for example in examples if set(example) & keys] == [keys]


def test_the_changelog_names_this_version() -> None:
    """Who reads what changed finds the version that `hookport version` prints."""
    assert VERSION in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_nothing_claims_exactly_once() -> None:
    """Delivery is at least once, and no document says more."""
    claims = [page.name for page in PAGES if re.search(r"exactly[- ]once", page.read_text(encoding="utf-8"), re.IGNORECASE)]
    assert claims == []


def prepared(text: str, port: int, admin: int) -> str:
    """A step of the README for this test: its own ports, and no second preparation of what is prepared."""
    text = text.replace("python3 build.py run", f"hookport run --admin 127.0.0.1:{admin}").replace("8420", str(port))
    return text.replace('export PATH="$PWD/.venv/bin:$PATH"\n', "")


def shim(folder: Path) -> Path:
    """A folder with a `hookport` that is this source."""
    program = folder / "bin" / "hookport"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program.parent


@pytest.mark.skipif(os.name == "nt", reason="the README's steps are for a POSIX shell")
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="the README's sender is curl and openssl")
def test_the_five_minutes_of_the_readme(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Whoever follows the README step by step has a first delivery at its end."""
    port, admin = free_port(), free_port()
    steps = [prepared(text, port, admin) for info, text in fences(section(README, README_STEPS)) if info == "sh"]
    make, start, look, post, see = steps
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "HOME": str(tmp_path),
        "HOOKPORT_DATA_DIR": str(tmp_path / "data"),
        "PATH": f"{shim(tmp_path)}{os.pathsep}{os.environ['PATH']}",
    }

    def run(script: str) -> str:
        done = subprocess.run(
            ["sh", "-eu", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    run(make)
    with subprocess.Popen(["sh", "-c", f"exec {start.strip()}"], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as agent:
        try:
            await_health(f"http://127.0.0.1:{admin}/health")
            looked = run(look)
            assert f"http://127.0.0.1:{port}/hooks/orders" in looked
            assert "accepted" in looked
            assert "200 OK" in run(post)
            seen = until(lambda: run(see), "1 delivered")
            assert ".json" in seen
            assert "Needs you    nothing" in seen
        finally:
            agent.terminate()
        assert agent.wait(15) == 0


def await_health(url: str) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")


def until(look: Callable[[], str], wanted: str) -> str:
    """Look until something is seen."""
    deadline = time.monotonic() + 10
    while wanted not in (seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen
