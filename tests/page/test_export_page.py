"""The export's screen."""

from pathlib import Path

import pytest

from tests.web.api.stand_in import StandIn, export_row

pytestmark = pytest.mark.anyio


async def test_the_export_shows_its_first_rows_and_is_neutralised(tmp_path: Path) -> None:
    """The preview is text; the file comes from the same filter; a formula does not run; a link from elsewhere gets nothing."""
    stand_in = StandIn(spool=tmp_path)
    stand_in.log.exported = [export_row(1, reference="=HYPERLINK(1)", error="<script>alert(1)</script>")]
    async with stand_in.signed_in() as client:
        page = await client.get("/export?format=csv&touchpoint=orders")
        assert "/api/v1/export/deliveries?touchpoint=orders&amp;format=csv" in page.text
        assert "<script>alert" not in page.text
        file = await client.get("/api/v1/export/deliveries?touchpoint=orders&format=csv")
        assert ",'=HYPERLINK(1)," in file.text
        assert "1 row" in (await client.get("/export/count")).text
        stand_in.log.exported *= 10_001
        first = (await client.get("/export/count?touchpoint=orders")).text
        assert "more than 5,000 rows" in first
        assert 'hx-get="/export/count?touchpoint=orders&amp;whole=1"' in first
        assert (await client.get("/export/count?touchpoint=orders&whole=1")).text.strip() == "10,001 rows"
        elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "origin": ""}
        assert (await client.get("/api/v1/export/deliveries", headers=elsewhere)).status_code == 403
