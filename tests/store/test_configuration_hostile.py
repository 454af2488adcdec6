"""Documents of any shape against the configuration store."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.configuration_kit import MACHINE, open_kit

WORDS = st.sampled_from(
    [
        "orders",
        "erp",
        "http",
        "folder",
        "generic",
        "shopify",
        "env:GONE",
        "file:/",
        "file:\0",
        "stored:0123456789abcdef",
        "http://a:b@c/?key=d",
        "/in",
        "\ud800",
        "x\ny",
        "hmac",
        "basic",
        "http://[",
        "10s",
    ]
)
KEYS = st.sampled_from(
    [
        "agent",
        "page",
        "proxy",
        "touchpoint",
        "name",
        "provider",
        "secrets",
        "aliases",
        "destination",
        "kind",
        "url",
        "path",
        "ca",
        "auth",
        "type",
        "password",
        "headers",
        "Authorization",
        "query",
        "verify",
        "scheme",
        "tls_key",
        "verify_token",
        "sign",
        "retry",
        "schedule",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.datetimes() | st.text(max_size=4) | WORDS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)
ITEMS = st.dictionaries(KEYS, VALUES, max_size=6)
TOUCHPOINTS = st.builds(lambda item, inner: {"name": "orders", **item, "destination": [inner]}, ITEMS, ITEMS)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6) | st.builds(lambda item: {"touchpoint": [item]}, TOUCHPOINTS)


def test_no_document_breaks_the_store(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is applied, merged or pruned, the answer is problems in words or a configuration, and never another error."""

    async def attempt(document: dict[str, Any], prune: bool) -> None:
        applied = await kit.store.apply(
            document, base="/", prune=prune, dry_run=True, actor=MACHINE, environment={}, undelivered={}, now=1
        )
        assert bool(applied.problems) == (applied.configuration is None)
        assert all(str(problem).encode("ascii", "backslashreplace") for problem in applied.problems)

    @given(DOCUMENTS, st.booleans())
    @settings(max_examples=300, deadline=None)
    def any_document(document: dict[str, Any], prune: bool) -> None:
        asyncio.run(attempt(document, prune))

    kit = asyncio.run(open_kit(tmp_path_factory.mktemp("hostile")))
    asyncio.run(kit.filled())
    any_document()
    asyncio.run(kit.database.close())
