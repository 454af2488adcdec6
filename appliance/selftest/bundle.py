"""The program's own files and libraries: what a build can lose without any source being wrong."""

import base64
import hmac
import secrets
import sqlite3

from appliance.selftest.report import must
from store.password import hash_password, verify_password
from store.sqlite.migrate import migrations
from store.vault import KEY_BYTES, Vault
from touchpoints.problem import catalogue as problems
from touchpoints.provider import providers
from touchpoints.request import Request
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import verify
from web.operator.render import environment as operator_environment
from web.page.assets import assets
from web.page.render import environment
from web.page.words import catalogue as words

# What every screen loads; a build that lost one of these would show a bare page.
_NEEDED = ("app.css", "app.js", "vendor/htmx.min.js", "vendor/modern-normalize.css", "vendor/uPlot.iife.min.js")


def catalogues() -> None:
    """Problems, providers and the page's words can be read."""
    must(len(problems()) > 100, f"only {len(problems())} problems have words")
    must("shopify" in providers(), "the providers are missing")
    must(len(words()) > 100, f"the page has only {len(words())} words")


def templates() -> None:
    """Every template of either page compiles."""
    for page, least in ((environment(), 20), (operator_environment(), 40)):
        names = page.list_templates()
        must(len(names) > least, f"only {len(names)} templates are there")
        for name in names:
            page.get_template(name)


def static_files() -> None:
    """What a browser fetches is there."""
    lacking = [name for name in _NEEDED if name not in assets()]
    must(not lacking, f"missing: {', '.join(lacking)}")


def database_files() -> None:
    """SQLite is recent enough, and the migrations are there."""
    must(sqlite3.sqlite_version_info >= (3, 37), f"SQLite {sqlite3.sqlite_version} is too old; 3.37 is needed")
    for kind in ("configuration", "events", "proxy", "queue"):
        must(migrations(kind), f"the migrations of {kind} are missing")


def tokens() -> None:
    """JSON Web Tokens are proved by a library that is loaded only when one comes."""
    secret = secrets.token_hex(32)
    signed = ".".join(_base64url(part) for part in (b'{"alg":"HS256"}', b'{"exp":60}'))
    mac = hmac.digest(secret.encode(), signed.encode(), "sha256")
    for proof, proved in ((mac, True), (mac[::-1], False)):
        headers = ((b"authorization", f"Bearer {signed}.{_base64url(proof)}".encode()),)
        request = Request(method="POST", target="/", headers=headers, body=b"{}", remote="", received_at=0, url="")
        touchpoint = Touchpoint(id=0, name="selftest", verification=_TOKEN, secrets=(secret,))
        must((verify(Reading(request), touchpoint, 0) is None) is proved, "a token is not proved as it should be")


_TOKEN = Verification(scheme="jwt", credential="header:authorization", prefix="Bearer ", algorithm="HS256", key="utf8")


def _base64url(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def vault() -> None:
    """What is sealed can be opened; a password is known again, and another is not."""
    key = secrets.token_bytes(KEY_BYTES)
    sealed = Vault(key).seal("hush", context="selftest")
    must(Vault(key).open(sealed, context="selftest") == "hush", "a sealed secret did not come back")
    kept = hash_password("a horse, a battery")
    must(verify_password(kept, "a horse, a battery") and not verify_password(kept, "another"), "passwords are not told apart")
