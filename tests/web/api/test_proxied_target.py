from store.log import Listed, Timeline
from store.settings import Configuration
from tests.store.make import event
from touchpoints.event import ArrivedBy
from web.api.event_shape import event_shown


def test_the_token_of_an_endpoint_at_a_proxy_is_not_shown() -> None:
    """Whoever may read events may not post them; a direct target stays as it is."""
    for target, by, shown in (
        ("/acme/orders/secret?x=1", ArrivedBy.PROXY, "/acme/orders/(hidden)?x=1"),
        ("/orders/secret", ArrivedBy.PROXY, "/orders/(hidden)"),
        ("/", ArrivedBy.PROXY, "/(hidden)"),
        ("/hooks/orders?x=1", ArrivedBy.DIRECT, "/hooks/orders?x=1"),
    ):
        listed = Listed(seq=1, event=event(1, target=target, arrived_by=by))
        made = event_shown(Timeline(listed=listed, attempts=(), duplicates=()), b"{}", Configuration())
        assert made["target"] == shown
