"""`hookport alerts`."""

import json

from tests.appliance.command.conftest import Served


def test_a_test_tells_each_outcome(served: Served) -> None:
    """The exit code says whether all of them went out."""
    sent = served.run("alerts", "test")
    assert (sent.exit_code, sent.stdout) == (0, "Sent by webhook.\n")
    served.process.control.ok = False
    failed = served.run("alerts", "test")
    assert (failed.exit_code, failed.stdout) == (1, "Could not be sent by webhook: It answered 500.\n")
    assert json.loads(served.run("alerts", "test", "--json").stdout)["channels"][0]["sent"] is False
