"""A configuration store over a real file, and a whole document to fill it with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.configuration import Actor, Applied
from store.document import parse
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, Database, InlineDatabase, Opener
from store.sqlite.migrate import migrate
from store.vault import Vault

KEY = bytes(range(32))
MACHINE = Actor(name="machine", machine=True)
TOKEN = Actor(name="token:ci")
ENVIRONMENT = {"SHOPIFY_SECRET": "shopify-hush-1"}
IN = str(Path("/srv/erp/in").absolute())

# Every word that must never be seen in clear.
HUSHED = (
    "shopify-hush-1",
    "file-hush-2",
    "basic-hush-3",
    "header-hush-4",
    "query-hush-5",
    "url-hush-6",
    "param-hush-7",
    "sign+hush+8AAA",
    "token-hush-9",
)

DOCUMENT = f"""
[agent]
mode = "both"
host_public_url = "https://hooks.example.com:8420/"
tls_certificate = "full.pem"
tls_key = "key.pem"
tls_client_ca = "senders.pem"
[proxy]
url = "https://proxy.example.net"
domain = "acme"
[limits]
body = "10MiB"
[[touchpoint]]
name = "orders"
provider = "shopify"
secrets = ["env:SHOPIFY_SECRET"]
aliases = ["old-orders"]
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://user:url-hush-6@127.0.0.1:9000/orders?access_token=param-hush-7&shop=1"
headers = {{ Authorization = "header-hush-4", X-Plain = "plain" }}
query = {{ code = "query-hush-5" }}
auth = {{ type = "basic", username = "ann", password = "basic-hush-3" }}
sign = "whsec_sign+hush+8AAA="
[[touchpoint]]
name = "stock"
provider = "generic"
secrets = ["file:stock.secret"]
verify_token = "token-hush-9"
[touchpoint.verify]
scheme = "hmac"
header = "X-Webhook-Signature"
[[touchpoint.destination]]
kind = "folder"
path = '{IN}'
"""


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A store with its folder."""

    store: SqliteConfiguration
    database: Database
    folder: Path

    async def apply(
        self,
        text: str,
        *,
        prune: bool = False,
        dry_run: bool = False,
        actor: Actor = MACHINE,
        environment: Mapping[str, str] = ENVIRONMENT,
        undelivered: Mapping[int, int] | None = None,
        digest: str = "",
    ) -> Applied:
        """Apply TOML text."""
        return await self.store.apply(
            parse(text.encode()),
            base=str(self.folder),
            prune=prune,
            dry_run=dry_run,
            actor=actor,
            environment=environment,
            undelivered=undelivered or {},
            now=1_000,
            digest=digest,
        )

    async def filled(self) -> Applied:
        """Apply the whole document, which has no problem."""
        applied = await self.apply(DOCUMENT)
        assert [str(problem) for problem in applied.problems] == []
        return applied


async def open_kit(folder: Path, *, key: bytes = KEY) -> Kit:
    """A store over `configuration.db` in a folder; the caller closes its database."""
    path = folder / "configuration.db"
    (folder / "stock.secret").write_text("file-hush-2\n", encoding="utf-8")
    database = await InlineDatabase.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await database.run(lambda db: migrate(db, "configuration", path=path, now=1))
    return Kit(store=SqliteConfiguration(database, Vault(key), folder), database=database, folder=folder)
