"""An event's whole way: in, refused or accepted, out, again, and into the export; then the same over TLS."""

import csv
import hashlib
import hmac
import io
import json
import secrets
import ssl
import zipfile
from pathlib import Path

import httpx

from appliance.selftest.certificate import make_certificate
from appliance.selftest.child import Child, await_true, in_native
from appliance.selftest.report import must
from appliance.selftest.sink import Sink

XML = '<?xml version="1.0" encoding="UTF-8"?><order><id>7</id><note>Grüße &amp; ✓</note></order>'.encode()


class Journey:
    """The events of one self-test."""

    def __init__(self, child: Child, sink: Sink) -> None:
        self.event = ""  # the id of the first event
        self._child = child
        self._sink = sink
        self._secret = secrets.token_urlsafe(24)
        self._out = child.folder / "out"
        self._out.mkdir()

    def configure(self, *, mode: str = "direct", more: str = "") -> Path:
        """One touchpoint of GitHub's with two destinations, and one that takes a token."""
        child, scheme = self._child, "https" if more else "http"
        return child.configure(
            f'[agent]\nmode = "{mode}"\nhost_public_url = "{scheme}://127.0.0.1:{child.port}"\nlisten = "127.0.0.1"\n'
            f'port = {child.port}\n{more}\n[retention]\nfree_disk = "0B"\n'
            f'[[touchpoint]]\nname = "orders"\nprovider = "github"\nsecrets = ["{self._secret}"]\n'
            f'[[touchpoint.destination]]\nname = "http"\nkind = "http"\nurl = "{self._sink.url}"\n'
            f'[[touchpoint.destination]]\nname = "folder"\nkind = "folder"\npath = {in_native(self._out)}\n'
            f'[[touchpoint]]\nname = "xml"\nprovider = "generic"\nsecrets = ["{self._secret}"]\n'
            'verify = { scheme = "token", header = "X-Key" }\n'
            f'[[touchpoint.destination]]\nname = "http"\nkind = "http"\nurl = "{self._sink.url}"\n'
        )

    def accept(self) -> None:
        """A signed event is accepted."""
        self._post(b'{"order": 1042}', "first")

    def refuse(self) -> None:
        """A wrong signature and an unknown touchpoint are not."""
        body = b'{"order": 1043}'
        wrong = self._signed(body, "wrong") | {"x-hub-signature-256": "sha256=" + "0" * 64}
        with httpx.Client(trust_env=False) as http:
            status = http.post(self._url("orders"), content=body, headers=wrong).status_code
            must(status == 401, f"a wrong signature was answered with {status}, not 401")
            status = http.post(self._url("nowhere"), content=body).status_code
            must(status == 404, f"an unknown touchpoint was answered with {status}, not 404")

    def deliver_http(self) -> None:
        """The bytes arrive as they were sent, with our headers."""
        await_true(lambda: self._sink.got, "nothing was delivered to the HTTP destination")
        headers, body = self._sink.got[0]
        must(body == b'{"order": 1042}', "the delivered body is not the one that was sent")
        must(headers.get("hookport-touchpoint") == "orders", "the delivery lacks the header Hookport-Touchpoint")
        self.event = headers["hookport-event"]

    def deliver_folder(self) -> None:
        """The file is there, whole."""
        await_true(lambda: list(self._out.glob("*.json")), "no file was delivered to the folder")
        content = next(self._out.glob("*.json")).read_bytes()
        must(content == b'{"order": 1042}', "the file's content is not what was sent")

    def deliver_xml(self) -> None:
        """An XML body goes its way, too."""
        with httpx.Client(trust_env=False) as http:
            headers = {"x-key": self._secret, "content-type": "application/xml"}
            status = http.post(self._url("xml"), content=XML, headers=headers).status_code
        must(status == 200, f"an XML body was answered with {status}")
        await_true(lambda: any(body == XML for _, body in self._sink.got), "the XML body was not delivered")

    def replay(self) -> None:
        """Replaying delivers it once more."""
        before = len(self._sink.got)
        self._child.run("events", "replay", self.event)
        await_true(lambda: len(self._sink.got) > before, "the replayed event was not delivered")

    def look_up(self) -> None:
        """The command line finds the event and says what became of it."""
        await_true(self._is_settled, "the outbox does not empty")
        found = self._child.json("events", "show", self.event)
        states = {delivery["state"] for delivery in found["event"]["deliveries"]}
        must(states == {"delivered"}, f"its deliveries are {sorted(states)}")
        must(self._child.json("check")["events"], "the events file is damaged")

    def export(self) -> None:
        """The log comes out in every format, the same rows in each."""
        counts = {name: self._exported(name) for name in ("csv", "jsonl", "xlsx")}
        must(counts["csv"] == counts["jsonl"] >= 4, f"the exports differ: {counts}")

    def over_tls(self) -> None:
        """The listener takes up a certificate while it runs, and an event comes in over TLS."""
        certificate, key = make_certificate(self._child.folder)
        more = f"tls_certificate = {in_native(certificate)}\ntls_key = {in_native(key)}\n"
        self._child.run("config", "apply", str(self.configure(more=more)))
        trusted = ssl.create_default_context(cafile=str(certificate))
        trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
        body = b'{"order": 1044}'
        with httpx.Client(verify=trusted, trust_env=False) as http:
            answer = http.post(self._url("orders", "https"), content=body, headers=self._signed(body, "tls"))
        must(answer.status_code == 200, f"over TLS a signed event was answered with {answer.status_code}")

    def through_proxy(self, proxy: Child) -> None:
        """The agent joins an organisation, and an event that is posted to the proxy is delivered here."""
        code = proxy.run("org", "add", "acme").split()[-1]
        recovery_key = self._child.run("pair", code, "--proxy", f"http://127.0.0.1:{proxy.port}").strip()
        must(len(recovery_key) > 30, "pairing printed no recovery key")
        self._child.run("config", "apply", str(self.configure(mode="both")))
        await_true(self._proxy_url, "the endpoint has no URL at the proxy")
        before, body = len(self._sink.got), b'{"order": 1045}'
        with httpx.Client(trust_env=False) as http:
            answer = http.post(self._proxy_url(), content=body, headers=self._signed(body, "proxied"))
        must(answer.status_code == 200, f"at the proxy a signed event was answered with {answer.status_code}")
        await_true(lambda: any(got == body for _, got in self._sink.got[before:]), "what the proxy accepted did not arrive")

    def _proxy_url(self) -> str:
        listed = self._child.json("touchpoint", "list")["touchpoints"]
        return next((one["endpoint_urls"]["proxy"] for one in listed if one["name"] == "orders"), None) or ""

    def _is_settled(self) -> bool:
        backlog = self._child.json("status", codes=(0, 1))["backlog"]
        return bool(backlog["inbox"] == backlog["outbox"] == 0)

    def _exported(self, name: str) -> int:
        file = self._child.folder / f"deliveries.{name}"
        # What was refused is written down when there is time; what was delivered stands there by now.
        self._child.run("export", "deliveries", "--format", name, "--state", "delivered", "--output", str(file))
        if name == "csv":
            return len(list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))) - 1
        if name == "jsonl":
            return len([json.loads(line) for line in file.read_bytes().splitlines()])
        with zipfile.ZipFile(file) as book:
            must(book.testzip() is None and "xl/workbook.xml" in book.namelist(), "the workbook is damaged")
        return 0

    def _post(self, body: bytes, delivery: str) -> None:
        with httpx.Client(trust_env=False) as http:
            answer = http.post(self._url("orders"), content=body, headers=self._signed(body, delivery))
        must(answer.status_code == 200, f"a signed event was answered with {answer.status_code}")

    def _signed(self, body: bytes, delivery: str) -> dict[str, str]:
        proof = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "content-type": "application/json",
            "x-github-event": "push",
            "x-github-delivery": delivery,
            "x-hub-signature-256": f"sha256={proof}",
        }

    def _url(self, touchpoint: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self._child.port}/hooks/{touchpoint}"
