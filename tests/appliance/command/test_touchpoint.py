"""`hookport touchpoint`."""

import json
from pathlib import Path

import pytest

from tests.appliance.command.conftest import Served


def test_touchpoints_are_listed(served: Served) -> None:
    """In columns, or as the API's object."""
    lines = served.run("touchpoint", "list").stdout.splitlines()
    assert lines[1].split() == ["orders", "shopify", "running", "2", "0", "never", "https://hooks.example.com/hooks/orders"]
    assert [one["name"] for one in json.loads(served.run("touchpoint", "list", "--json").stdout)["touchpoints"]] == [
        "orders",
        "stock",
        "parts",
    ]


def test_one_is_added_and_its_url_printed_alone(served: Served) -> None:
    """The secret comes from standard input, the words go to stderr, and stdout holds the endpoint URL and nothing else."""
    args = (
        "touchpoint",
        "add",
        "crm",
        "--provider",
        "stripe",
        "--secret",
        "-",
        "--secret",
        "env:OLD",
        "--to",
        "http://127.0.0.1:9/",
    )
    result = served.run(*args, input="whsec_hush\n")
    assert (result.exit_code, result.stdout) == (0, "https://hooks.example.com/hooks/crm\n")
    assert "hush" not in result.output
    _, document, base, *_ = served.process.control.calls[0]
    assert base == str(Path.cwd())
    assert document["touchpoint"] == [
        {
            "name": "crm",
            "provider": "stripe",
            "destination": [{"kind": "http", "url": "http://127.0.0.1:9/"}],
            "secrets": ["whsec_hush", "env:OLD"],
        }
    ]
    again = served.run(*args, input="x")
    assert again.exit_code == 1
    assert "already is" in again.stderr


def test_a_folder_is_named_whole(served: Served) -> None:
    """A relative path is the caller's, not the agent's."""
    assert served.run("touchpoint", "add", "crm", "--provider", "github", "--to", "in", "--dry-run").exit_code == 0
    _, document, *_ = served.process.control.calls[0]
    assert document["touchpoint"][0]["destination"] == [{"kind": "folder", "path": str(Path.cwd() / "in")}]
    assert "secrets" not in document["touchpoint"][0]


def test_another_scheme_is_no_folder(served: Served) -> None:
    """A mistyped URL would else become a folder of that name."""
    for to in ("htp://127.0.0.1:9/", "ftp://host/in", "file:///in"):
        result = served.run("touchpoint", "add", "crm", "--provider", "github", "--to", to)
        assert (result.exit_code, "[not_a_url]" in result.stderr) == (1, True)
    assert served.process.control.calls == []


@pytest.mark.parametrize("secret", ["hush", "env:", "file:", ""])
def test_a_secret_is_never_an_argument(served: Served, secret: str) -> None:
    """It is refused as wrong use before anything is sent, and not repeated."""
    result = served.run("touchpoint", "add", "crm", "--provider", "stripe", "--secret", secret, "--to", "/in")
    assert result.exit_code == 2
    assert "hush" not in result.output
    assert served.process.control.calls == []


def test_renaming_and_removing(served: Served) -> None:
    """Names reach the agent whole; an unknown one fails in words."""
    assert served.run("touchpoint", "rename", "orders", "sales").exit_code == 0
    assert served.run("touchpoint", "remove", "stock").exit_code == 0
    missing = served.run("touchpoint", "remove", "..\x1b")
    assert missing.exit_code == 1
    assert "There is no touchpoint" in missing.stderr
    assert "\x1b" not in missing.stderr
    assert [call[:3] for call in served.process.control.calls][:1] == [("rename", "orders", "sales")]


def test_a_test_event_is_sent(served: Served, tmp_path: Path) -> None:
    """The file's bytes, the headers, and whether to deliver."""
    file = tmp_path / "order.json"
    file.write_bytes(b"{}\x00")
    result = served.run("touchpoint", "test", "orders", str(file), "--header", "X-Topic: a", "--deliver")
    assert result.exit_code == 0
    assert "erp (http) POST http://127.0.0.1:9000/" in result.stdout
    assert served.process.control.calls[0][1:5] == ("orders", b"{}\x00", {"x-topic": "a"}, True)
