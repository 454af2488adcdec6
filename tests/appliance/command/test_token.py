"""`hookport token`."""

import json

from tests.appliance.command.conftest import Served


def test_a_token_is_made_listed_and_revoked(served: Served) -> None:
    """Its value stands alone on stdout, once."""
    made = served.run("token", "add", "nagios", "--scope", "operate")
    assert made.stdout == "fresh-token-0\n"
    listed = served.run("token", "list")
    assert listed.stdout.splitlines()[1].split()[:2] == ["nagios", "operate"]
    assert "fresh" not in listed.stdout
    assert served.run("token", "revoke", "nagios").exit_code == 0
    assert served.run("token", "revoke", "nagios").exit_code == 1
    assert json.loads(served.run("token", "list", "--json").stdout) == {"tokens": []}
