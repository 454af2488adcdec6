"""Secrets that are planted, one in every place that holds one, and the search for them in whatever comes out."""

import base64
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote


def _key(name: str) -> str:
    return base64.b64encode(f"planted key of {name}, 32 bytes".ljust(32, ".").encode()[:32]).decode()


PLANTED: Mapping[str, str] = {
    "hmac": "planted-hmac-Q7f3",
    "token": "planted-token-Z1m8",
    "from env": "planted-env-K4w2",
    "from file": "planted-file-P9d5",
    "verify_token": "planted-verify-B6h1",
    "user in url": "planted-user-in-url-V2c7",
    "token in url": "planted-token-in-url-N8r4",
    "header": "planted-header-T3j9",
    "query": "planted-query-L5x6",
    "bearer": "planted-bearer-G1s8",
    "password": "planted-password-D7k3",
    "api_key": "planted-api-key-W4n2",
    "sign": f"whsec_{_key('a destination')}",
    "outbound proxy": "planted-outbound-M6y1",
    "smtp": "planted-smtp-H9t5",
    "chat": "planted-chat-path-C2v7",
    "alert sign": f"whsec_{_key('the alerts')}",
    "passphrase": "planted-passphrase-R8b4",
}
ENVIRONMENT = {"PLANTED_SECRET": PLANTED["from env"]}


def configuration(port: int, closed: int) -> str:
    """Touchpoints and alerts full of planted secrets: destinations listen on `port`, and nobody does on `closed`."""
    p = PLANTED
    return f"""
[alerts]
email_to = ["ann@example.com"]
email_from = "hookport@example.com"
smtp_host = "127.0.0.1"
smtp_port = {closed}
smtp_security = "none"
smtp_user = "hookport"
smtp_password = "{p["smtp"]}"
webhook_url = "http://127.0.0.1:{closed}/services/{p["chat"]}"
webhook_secret = "{p["alert sign"]}"
group = "0s"
[backup]
passphrase = "{p["passphrase"]}"
[[touchpoint]]
name = "orders"
provider = "github"
secrets = ["{p["hmac"]}", "env:PLANTED_SECRET", "file:planted.secret"]
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://ann:{p["user in url"]}@127.0.0.1:{port}/in?token={p["token in url"]}"
headers = {{ X-Secret-Token = "{p["header"]}" }}
query = {{ key = "{p["query"]}" }}
sign = "{p["sign"]}"
[[touchpoint.destination]]
name = "closed"
kind = "http"
url = "http://127.0.0.1:{closed}/in"
auth = {{ type = "bearer", token = "{p["bearer"]}" }}
[[touchpoint.destination]]
name = "crashes"
kind = "http"
url = "http://127.0.0.1:{closed}/in"
auth = {{ type = "basic", username = "ann", password = "{p["password"]}" }}
proxy = "http://ann:{p["outbound proxy"]}@127.0.0.1:{closed}"
[[touchpoint.destination]]
name = "keyed"
kind = "http"
url = "http://127.0.0.1:{port}/in"
auth = {{ type = "api_key", key = "{p["api_key"]}", place = "query" }}
[[touchpoint]]
name = "stock"
provider = "generic"
secrets = ["{p["token"]}"]
verify = {{ scheme = "token", header = "X-Stock-Token" }}
[[touchpoint.destination]]
kind = "http"
url = "http://127.0.0.1:{port}/in"
[[touchpoint]]
name = "chat"
provider = "meta"
secrets = ["{p["hmac"]}"]
verify_token = "{p["verify_token"]}"
"""


@dataclass(slots=True)
class Search:
    """What was looked through, and where a secret stood in clear."""

    secrets: Mapping[str, str] = field(default_factory=lambda: PLANTED)
    found: list[str] = field(default_factory=list)
    looked: int = 0

    def text(self, where: str, content: str | bytes) -> None:
        """Look through one piece; a zip file's pieces one by one."""
        raw = content.encode() if isinstance(content, str) else content
        self.looked += 1
        if raw.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                for name in archive.namelist():
                    self.text(f"{where}/{name}", archive.read(name))
        self.found += [
            f"{name} in {where}" for name, secret in self.secrets.items() if any(one in raw for one in _forms(secret))
        ]

    def folder(self, folder: Path) -> None:
        """Look through every file below a folder."""
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.text(str(file.relative_to(folder.parent)), file.read_bytes())

    def processes(self) -> None:
        """Look through the arguments of every process, where the system shows them."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.text(f"process {file.parent.name}", file.read_bytes())
            except OSError:  # it has ended
                continue


def _forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, as an address writes it, in UTF-16, and as the key that it stands for."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield secret.encode("utf-16-le")
    yield base64.b64encode(secret.encode())
    if secret.startswith("whsec_"):
        yield base64.b64decode(secret.removeprefix("whsec_"))
