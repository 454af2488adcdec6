import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from appliance.data_folder import DataFolder, prepare
from appliance.logs import FILES_KEPT, Redactor, set_up_logs
from store.settings import Configuration
from tests.appliance.stage import destination, touchpoint
from touchpoints.touchpoint import Auth

SECRETS = ("plain-hush-1", 'quote"hush\\2', "unicode-hüsh-3/+ x", "line\nhush-4")
CONFIGURATION = Configuration(
    touchpoints=(
        touchpoint(
            secrets=SECRETS[:2],
            verify_token=SECRETS[2],
            destinations=[destination(auth=Auth(kind="bearer", secret=SECRETS[3]))],
        ),
    )
)


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Gives what a terminal shows by then; afterwards logging is as before."""
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    for handler in handlers:
        root.removeHandler(handler)
    yield lambda: capsys.readouterr().err
    for handler in list(root.handlers):
        handler.close()
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(path=tmp_path / "data")
    prepare(made)
    return made


def _written(folder: DataFolder) -> str:
    return (folder.logs / "hookport.log").read_text(encoding="utf-8")


def _speak(secret: str) -> None:
    """Say a secret in every way a program might."""
    log = structlog.get_logger()
    foreign = logging.getLogger("somebody.else")
    log.info("said", value=secret, nested={"deep": [secret]}, url=f"http://x/?code={quote(secret, safe='')}")
    log.warning(f"in the event {secret}")  # noqa: G004 - a careless line is what is tried
    foreign.warning("from another library: %s", secret)
    try:
        raise ValueError(f"it was {secret}")
    except ValueError as error:
        log.error("failed", exc_info=error)
        log.exception("failed")
        foreign.exception("failed over there")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_known_secret_is_in_neither_log(terminal: Callable[[], str], folder: DataFolder, secret: str) -> None:
    """In values, words, tracebacks and URLs, as it is, quoted, and as JSON or Python writes it."""
    redactor = Redactor()
    redactor.follow(CONFIGURATION)
    set_up_logs(folder, redactor)
    _speak(secret)
    for text in (terminal(), _written(folder)):
        assert text.count("[secret]") >= 8
        assert "hush" not in text.lower()
        assert "hüsh" not in text
        assert "h%C3%BCsh" not in text
        assert "ValueError" in text


def test_it_follows_the_configuration(terminal: Callable[[], str], folder: DataFolder) -> None:
    """A secret that was set while the process ran is blotted out from then on."""
    redactor = Redactor()
    set_up_logs(folder, redactor)
    structlog.get_logger().info("before", value="harmless words")
    redactor.follow(CONFIGURATION)
    structlog.get_logger().info("after", value=SECRETS[0])
    shown = terminal()
    assert "harmless words" in shown
    assert SECRETS[0] not in shown + _written(folder)


def test_each_line_of_the_file_is_json(terminal: Callable[[], str], folder: DataFolder) -> None:
    """With level, time, event and values, whoever speaks; a stranger's line break makes no second line."""
    set_up_logs(folder, Redactor())
    structlog.get_logger().warning("said", value="two\nlines", path=folder.path)
    logging.getLogger("somebody.else").error("word %s", "one\ntwo")
    _speak("no secret")
    lines = [json.loads(line) for line in _written(folder).splitlines()]
    assert (lines[0]["event"], lines[0]["level"], lines[0]["value"]) == ("said", "warning", "two\nlines")
    assert lines[1]["event"] == "word one\ntwo"
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert sum("ValueError" in line.get("exception", "") for line in lines) == 3
    assert terminal()


def test_the_file_rotates(terminal: Callable[[], str], folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never fills a disk."""
    monkeypatch.setattr("appliance.logs.FILE_BYTES", 2000)
    set_up_logs(folder, Redactor(), terminal=False)
    for number in range(200):
        structlog.get_logger().info("a line of some length", number=number)
    files = list(folder.logs.iterdir())
    assert len(files) == FILES_KEPT + 1
    assert all(file.stat().st_size <= 2000 for file in files)
    assert terminal() == ""
