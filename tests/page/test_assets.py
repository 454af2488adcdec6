"""The files a browser fetches: by name only, for ever, packed, and few."""

import gzip

import pytest

from tests.web.api.stand_in import StandIn
from web.page.assets import asset_url, assets

pytestmark = pytest.mark.anyio


async def test_a_file_is_kept_for_ever_at_an_address_of_its_content(stand_in: StandIn) -> None:
    """Without signing in; packed where the browser takes that."""
    async with stand_in.client(token="") as client:
        plain = await client.get(asset_url("app.css"), headers={"accept-encoding": "identity"})
        packed = await client.get(asset_url("app.css"), headers={"accept-encoding": "br, gzip"})
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/css; charset=utf-8"
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.text == packed.text
    assert asset_url("app.css").startswith("/static/app.css?")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../render.py",
        "/static/%2e%2e/render.py",
        "/static/..%2frender.py",
        "/static//etc/passwd",
        "/static/vendor",
        "/static/app.css%00",
    ],
)
async def test_no_path_leads_out_of_the_folder(stand_in: StandIn, path: str) -> None:
    """Files are found by name in a table: there is no path to climb."""
    async with stand_in.client(token="") as client:
        assert (await client.get(path)).status_code in (303, 404)


def test_scripts_and_styles_together_are_under_60_kilobytes() -> None:
    """Packed, all of them, as if one page fetched every one."""
    packed = {path: len(gzip.compress(one.content, 9)) for path, one in assets().items() if path.endswith((".js", ".css"))}
    assert "vendor/htmx.min.js" in packed, "build.py puts it there"
    assert sum(packed.values()) < 60_000, packed
