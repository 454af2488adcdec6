"""Both APIs keep to their own description, whatever is sent to them."""

from pathlib import Path

import pytest

from tests.attack.described import Outcome, examine
from tests.docs.generated import api


@pytest.mark.parametrize("proxy", [False, True], ids=["agent", "proxy"])
def test_an_api_is_what_its_description_says(tmp_path: Path, *, proxy: bool) -> None:
    """Every operation is called, and no check of Schemathesis fails."""
    found: Outcome = examine(tmp_path / "data", proxy=proxy, examples=1)
    described = {
        f"{method.upper()} {path}"
        for path, item in (api(proxy=proxy).openapi_schema.to_schema()["paths"]).items()
        for method in item
    }
    assert found.failures == {}
    assert found.calls > len(described)
    assert found.operations >= described
