"""An agent under measurement whose events wait at a hosted proxy until it pulls them."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.children import BenchError, finished
from tests.bench.proxy_process import ProxyProcess
from tests.bench.subject import HOOKPORT, Subject


class PullingSubject(Subject):
    """One Hookport in proxy mode, an organisation's only agent."""

    def __init__(self, folder: Path, *, sink: int, proxy: ProxyProcess) -> None:
        super().__init__(folder, sink=sink)
        self._proxy = proxy
        self._urls: dict[str, str] = {}

    def url(self, touchpoint: str) -> str:
        """A touchpoint's endpoint URL at the proxy."""
        return self._urls[touchpoint]

    def post_one(self, touchpoint: str) -> None:
        """Post a single event, and wait until it was pulled."""
        before = self.stored()
        super().post_one(touchpoint)
        self.await_stored(before + 1)

    def pair(self, organisation: str) -> None:
        """Join an organisation that is made for it, and wait until its endpoint URLs are answered. Both processes run."""
        code = finished(self._proxy.command("org", "add", organisation), seconds=60).split()[-1]
        finished(self._told("pair", code, "--proxy", self._proxy.url, "--json"), seconds=60)
        found = json.loads(finished(self._told("touchpoint", "list", "--json"), seconds=60))
        self._urls = {one["name"]: one["endpoint_urls"]["proxy"] for one in found["touchpoints"]}
        deadline = time.monotonic() + 30
        while not all(_is_answered(url) for url in self._urls.values()):
            if time.monotonic() > deadline:
                raise BenchError("the proxy does not answer the endpoint URLs that the agent declared")
            time.sleep(0.05)

    @property
    def _ready(self) -> str:
        return f"{self.page}/"

    def _way_in(self) -> list[str]:
        return ["[agent]", 'mode = "proxy"']

    def _told(self, *arguments: str) -> list[str]:
        return [*HOOKPORT, *arguments, "--data-dir", str(self.data)]


def _is_answered(url: str) -> bool:
    """Whether the proxy knows an endpoint: another method than its own is refused there, and elsewhere the address."""
    try:
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - always http, and loopback
    except urllib.error.HTTPError as error:
        return error.code == 405
    return False
