"""The proxy as a process: started by its command, looked after by commands, stopped and started again."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.whole.hookport import COMMAND, ROOT


class ProxyProcess:
    """One data folder and the process over it."""

    def __init__(self, folder: Path, *, port: int, admin: int) -> None:
        self.data = folder / "proxy"
        self.port, self.admin = port, admin
        self.process: subprocess.Popen[str] | None = None
        self.lines: list[str] = []
        self.log = folder / "proxy-stderr.log"
        self._environment = {**os.environ, "PYTHONWARNINGS": "error"}

    def start(self, *options: str) -> None:
        """Start it, and wait until it says that it runs."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *COMMAND,
                    "proxy",
                    *options,
                    "--data-dir",
                    str(self.data),
                    "--admin",
                    f"127.0.0.1:{self.admin}",
                    "--no-browser",
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=self._environment,
            )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if "stop with" in line:
                return
        raise AssertionError(f"it did not start: {self.lines}")

    @property
    def link(self) -> str:
        """The one-time link that it printed when it started."""
        return next(found[0] for line in self.lines if (found := re.search(r"http\S+/setup/\S+", line)))

    def stop(self) -> int:
        """Ask it to end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def close(self) -> None:
        """Leave nothing running."""
        self.kill()

    def kill(self) -> None:
        """End it without warning, where it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self._ended()

    def _ended(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        code = self.process.wait(20)
        self.process.stdout.close()
        return code

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on its folder."""
        return subprocess.run(
            [*COMMAND, "proxy", *arguments, "--data-dir", str(self.data)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """A command's object."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def proxy(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[ProxyProcess]:
    """A proxy of its own, which leaves nothing running."""
    with closing(ProxyProcess(tmp_path, port=free_port(), admin=free_port())) as made:
        yield made


CODE = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}")


def test_an_operators_day_by_commands(proxy: ProxyProcess) -> None:
    """Started with options that are kept, organisations by commands on the running one, stopped, and the same on the folder."""
    url = f"http://127.0.0.1:{proxy.port}"
    proxy.start("--listen", f"127.0.0.1:{proxy.port}", "--public-url", url)
    assert any("/setup/" in line for line in proxy.lines)
    assert httpx.get(f"{url}/health").json() == {"ok": True}
    assert httpx.post(f"{url}/acme/orders/{'a' * 32}").status_code == 404

    added = proxy.run("org", "add", "acme")
    assert added.returncode == 0, added.stderr
    assert CODE.fullmatch(added.stdout.splitlines()[-1])
    assert len(added.stdout.splitlines()) == 1
    assert proxy.run("org", "add", "acme").returncode == 1
    status = proxy.json("status")
    assert (status["role"], status["running"], status["ok"], status["queue"]["organisations"]) == ("proxy", True, True, 1)
    assert status["direct"]["url"] == url
    assert proxy.stop() == 0

    assert proxy.json("status")["running"] is False
    assert CODE.fullmatch(proxy.json("org", "code", "acme")["code"])
    assert [one["name"] for one in proxy.json("org", "list")["organisations"]] == ["acme"]
    assert f'public_url = "{url}"' in proxy.run("config", "show").stdout
    refused = proxy.run("org", "remove", "acme")
    assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
    assert proxy.json("org", "remove", "acme", "--yes") == {"removed": "acme", "events": 0}

    proxy.start()
    assert httpx.get(f"{url}/health").json() == {"ok": True}
    assert proxy.stop() == 0


def test_a_public_listener_in_clear_is_refused_in_words(proxy: ProxyProcess) -> None:
    """Exit 2, and nothing is listening."""
    refused = proxy.run("run", "--public-url", "https://proxy.example.net", "--admin", f"127.0.0.1:{proxy.admin}")
    assert refused.returncode == 2
    assert "without TLS" in refused.stderr
    assert "trusted_proxies" in refused.stderr


def test_a_file_and_options_come_together(proxy: ProxyProcess, tmp_path: Path) -> None:
    """Behind a reverse proxy: the file names it, the option the URL."""
    file = tmp_path / "proxy.toml"
    file.write_text(
        f'[server]\nlisten = "127.0.0.1"\nport = {proxy.port}\ntrusted_proxies = ["127.0.0.1"]\n'
        '[[organisation]]\nname = "acme"\n'
    )
    proxy.start("--config", str(file), "--public-url", "https://proxy.example.net")
    assert [one["name"] for one in proxy.json("org", "list")["organisations"]] == ["acme"]
    assert proxy.stop() == 0


def test_the_agents_command_on_a_proxys_folder_is_told_so(proxy: ProxyProcess) -> None:
    """`hookport run` does not touch it."""
    assert proxy.run("org", "add", "acme").returncode == 0
    done = subprocess.run(
        [*COMMAND, "run", "--data-dir", str(proxy.data), "--no-browser"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "[store_foreign]" in done.stderr
