"""`hookport pair` and `hookport pairing`."""

import json
from dataclasses import replace

from tests.appliance.command.conftest import Served
from touchpoints.moment import HOUR
from touchpoints.pull.call import State, StateAgent
from touchpoints.pull.pairing import fingerprint
from web.membership import Closing

SPARE = StateAgent(id="b", name="spare", state="waiting", signing_key=b"s" * 32, exchange_key=b"x" * 32)
PAIR = ("pair", "7K2M-9QXD-C4TN-WB6E-H3RA", "--proxy", "https://proxy.example.net")


def test_the_recovery_key_stands_alone_on_stdout(served: Served) -> None:
    """All else is on stderr; nothing is asked, and the mode is not touched."""
    served.process.membership.recovery_key = "AAAA-BBBB"
    made = served.run(*PAIR, "--name", "front", input="")
    assert (made.exit_code, made.stdout) == (0, "AAAA-BBBB\n")
    assert "as front of acme" in made.stderr
    assert served.process.membership.calls == [("pair", PAIR[1], PAIR[3], "front", "machine")]
    assert served.process.control.calls == []


def test_a_later_agent_prints_no_key_and_says_how_it_goes_on(served: Served) -> None:
    """Its fingerprint is what a person compares."""
    made = served.run(*PAIR)
    assert (made.exit_code, made.stdout) == (0, "")
    assert "3f2a 91c0" in made.stderr
    assert json.loads(served.run(*PAIR, "--json").stdout)["recovery_key"] is None


def test_pairing_that_fails_says_why(served: Served) -> None:
    """Exit 1, the mend on stderr, nothing on stdout."""
    served.process.membership.refuses = "pairing_code_malformed"
    failed = served.run(*PAIR)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "all 20 characters" in failed.stderr
    assert served.run("pair", "CODE").exit_code == 2


def test_status_is_shown_also_where_the_proxy_cannot_be_asked(served: Served) -> None:
    """What is known here, and on stderr why there is no more."""
    assert "not paired" in served.run("pairing", "status").stdout
    served.run(*PAIR, "--name", "front")
    served.process.membership.told = State(
        organisation=1, domain="acme", incarnation="i", acknowledged=0, next_seq=1, agents=(SPARE,)
    )
    shown = served.run("pairing", "status")
    assert fingerprint(SPARE.signing_key, SPARE.exchange_key) in shown.stdout
    served.process.membership.refuses = "proxy_silent"
    served.process.membership.refuse_values = {"seconds": "30"}
    silent = served.run("pairing", "status", "--json")
    assert json.loads(silent.stdout)["organisation"] is None
    assert "did not answer" in silent.stderr


def test_status_says_who_pulls_what_lacks_and_what_closes(served: Served) -> None:
    """As on the page: a standby that could not take over is told before it is needed."""
    served.run(*PAIR, "--name", "front")
    front = replace(SPARE, id="a", name="front", state="ready", holds_lease=True)
    spare = replace(SPARE, state="ready", lacking=("stock",))
    membership = served.process.membership
    membership.told = State(organisation=1, domain="acme", incarnation="i", acknowledged=0, next_seq=1, agents=(front, spare))
    membership.stands = replace(membership.stands, closing=Closing(since=HOUR, used_at=2 * HOUR, closes_at=26 * HOUR))
    shown = served.run("pairing", "status").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert any(line.startswith("a front pulls ") for line in lines)
    assert any(line.startswith("b spare stands by ") for line in lines)
    assert "  - spare lacks stock" in shown.splitlines()
    assert any(line.startswith("Closing through the proxy: last used 1970-01-01T02:00:00") for line in lines)


def test_an_agent_is_approved_by_name_with_the_compared_fingerprint(served: Served) -> None:
    """Only one that waits; the recovery key comes by standard input, never as an argument."""
    served.process.membership.told = State(
        organisation=1, domain="acme", incarnation="i", acknowledged=0, next_seq=1, agents=(SPARE,)
    )
    assert served.run("pairing", "approve", "nobody", "--fingerprint", "f").exit_code == 1
    assert served.run("pairing", "approve", "spare", "--fingerprint", "f f").exit_code == 0
    assert served.run("pairing", "recover", input="THE-KEY\n").exit_code == 0
    assert served.run("pairing", "recover", input="").exit_code == 2
    assert served.run("pairing", "left", "drop").exit_code == 0
    assert served.run("pairing", "dismiss", "restored").exit_code == 0
    assert served.run("pairing", "dismiss", "gap").exit_code == 2
    assert served.run("pairing", "leave", "--anyway").exit_code == 0
    assert [call[:-1] for call in served.process.membership.calls] == [
        ("approve", "b", "f f"),
        ("recover", "THE-KEY"),
        ("settle_left", False),
        ("dismiss_restored",),
        ("leave", True),
    ]
