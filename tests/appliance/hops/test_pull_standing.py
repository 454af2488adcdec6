"""What a person is told to be waiting at the proxy."""

from dataclasses import replace

import pytest

from appliance.hops.pull_standing import PullStanding
from touchpoints.pull.message import Backlog, Batch, Sealed

EVENT = Sealed(seq=8, id="8".rjust(26, "0"), received_at=1, key_id="k", digest=b"", data=b"x" * 100)
BATCH = Batch(incarnation="i", epoch=3, lease_seconds=60, acknowledged=5, backlog=Backlog(events=3, bytes=400, oldest=1))


def test_that_the_proxy_was_restored_ends_with_what_it_lost() -> None:
    """Where the proxy states no gap, only a person ends it."""
    standing = PullStanding()
    for batch in (BATCH, replace(BATCH, gap=(6, 9)), replace(BATCH, gap=(6, 9))):
        standing.proxy_restored = True
        standing.answered(batch, paused="", now=1)
        assert standing.proxy_restored
    standing.answered(BATCH, paused="", now=1)
    assert not standing.proxy_restored


@pytest.mark.parametrize(
    ("batch", "paused", "told"),
    [
        pytest.param(BATCH, "", Backlog(), id="what is not acknowledged yet is here already"),
        pytest.param(replace(BATCH, messages=(EVENT,)), "", Backlog(), id="the last of it has just come"),
        pytest.param(
            replace(BATCH, messages=(EVENT,), more=True), "", Backlog(events=2, bytes=300, oldest=1), id="a part has come"
        ),
        pytest.param(BATCH, "disk_full", BATCH.backlog, id="nothing is taken in"),
        pytest.param(replace(BATCH, epoch=0, holder="other"), "", BATCH.backlog, id="another agent has the lease"),
    ],
)
def test_what_waits_is_what_is_not_here_yet(batch: Batch, paused: str, told: Backlog) -> None:
    """The proxy counts what it has no acknowledgement for; a person asks what has not come."""
    standing = PullStanding()
    standing.answered(batch, paused=paused, now=1)
    assert standing.backlog == told
