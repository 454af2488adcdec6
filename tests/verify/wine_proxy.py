"""The executable for Windows as a hosted proxy, and an agent that pulls from it, under wine: paired, killed, begun again."""

import subprocess
from pathlib import Path

import httpx
from building.exe import DIST, KINDS, executable
from building.windows import can_build_windows
from building.windows_wine import run_wine

from tests.bench.figures import Report
from tests.verify.case import LeftOutError, must
from tests.verify.wine import EVENTS, FOLDER, PATIENCE, Installation, await_true, installation

AGENT = """
[agent]
mode = "proxy"
[[touchpoint]]
name = "orders"
provider = "generic"
verify = {{ scheme = "none", allow_unsigned = true }}
[[touchpoint.destination]]
name = "files"
kind = "folder"
path = '{inbox}'
"""


class Hosted(Installation):
    """The program as a proxy, over a folder of its own."""

    def __init__(self, program: Path, drive: Path) -> None:
        super().__init__(program, drive)
        self.home = drive / "users" / "Public" / f"{FOLDER} proxy"
        self.data, self.inbox = self.home / "data", self.home / "unused"
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """What an operator would type."""
        where = ["--listen", f"127.0.0.1:{self.port}", "--public-url", self.url, "--admin", "127.0.0.1:0", "--no-browser"]
        return [str(self.program), "proxy", "run", "--data-dir", self.windows(self.data), *where]

    def organisation(self, name: str) -> str:
        """Add one; its pairing code."""
        return _told([str(self.program), "proxy", "org", "add", name, "--data-dir", self.windows(self.data)]).split()[-1]


class Pulling(Installation):
    """The program as an agent without a port of its own."""

    def set_up(self) -> None:
        """In proxy mode."""
        super().set_up()
        text = AGENT.format(inbox=self.windows(self.inbox))
        (self.home / "hookport.toml").write_text(text, encoding="utf-8")

    def answers(self) -> bool:
        """It has no listener: that it runs stands in a file, which its end takes away."""
        return (self.data / "running.json").is_file()

    def pair(self, code: str, url: str) -> None:
        """Join."""
        _told([str(self.program), "pair", code, "--proxy", url, "--name", "front", "--data-dir", self.windows(self.data)])

    def connected(self) -> bool:
        """Whether it pulls."""
        return bool(self.status()["proxy"]["state"] == "connected")

    def endpoint(self) -> str:
        """The endpoint URL at the proxy."""
        status = [str(self.program), "touchpoint", "list", "--json", "--data-dir", self.windows(self.data)]
        (line,) = httpx.Response(200, text=_told(status)).json()["touchpoints"]
        return str(line["endpoint_urls"]["proxy"] or "")


def wine_proxy() -> Report:
    """Both builds, each with a proxy and an agent of its own."""
    if why := can_build_windows():
        raise LeftOutError(why)
    report = Report()
    for kind in KINDS:
        path = executable(DIST / "windows", kind, "windows")
        must(path.is_file(), f"{path} is not there; make it with `python3 build.py exe --target windows`")
        _through_a_proxy(path, kind, report)
    return report


def _through_a_proxy(program: Path, kind: str, report: Report) -> None:
    """What is posted while the agent is off waits; either of them is killed, and everything arrives once it is back."""
    with installation(Hosted, program) as hosted, installation(Pulling, program) as agent:
        report.add(f"{kind}: a proxy's first start to listening", hosted.start(), "s")
        code = hosted.organisation("acme")
        agent.start()
        agent.pair(code, hosted.url)
        await_true(agent.connected, "the agent does not pull")
        await_true(agent.endpoint, "the agent has no endpoint URL")
        url = agent.endpoint()
        await_true(lambda: httpx.post(url, json={"order": 0}).status_code == 200, "the proxy does not take an event")
        _arrived(agent, 1)
        agent.interrupt()
        for number in range(1, EVENTS):
            must(httpx.post(url, json={"order": number}, timeout=PATIENCE).status_code == 200, "an event was refused")
        hosted.kill()
        hosted.start()
        agent.start()
        _arrived(agent, EVENTS)
        must(httpx.post(url, json={"order": EVENTS}, timeout=PATIENCE).status_code == 200, "an event was refused")
        _arrived(agent, EVENTS + 1)
        agent.interrupt()
        hosted.interrupt()


def _arrived(agent: Pulling, events: int) -> None:
    await_true(lambda: len(list(agent.inbox.glob("*.json"))) == events, f"{events} events should have arrived")


def _told(command: list[str]) -> str:
    done: subprocess.CompletedProcess[str] = run_wine(command, seconds=PATIENCE)
    must(done.returncode == 0, f"{command[1:3]} ended with code {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
