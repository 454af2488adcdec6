"""`hookport events`."""

import json

import pytest

from appliance.command.events import ACTIONS
from tests.appliance.command.conftest import Served
from tests.web.api.stand_in import ODD_HEADERS, delivery, event
from touchpoints.event import Verdict


def test_events_are_listed_and_paged(served: Served) -> None:
    """Newest first; where there are more, stderr says how to go on."""
    for number in range(1, 4):
        served.process.log.keep(event(number), b"{}", delivery(event(number)))
    result = served.run("events", "list", "--limit", "2", "--reference", "1003")
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == [event(3).id, event(2).id]
    assert "1 pending" in result.stdout
    assert "--before 2" in result.stderr
    assert served.process.log.asked[0].reference == "1003"
    rest = json.loads(served.run("events", "list", "--before", "2", "--json").stdout)
    assert ([one["id"] for one in rest["events"]], rest["next_before"]) == ([event(1).id], None)


def test_what_strangers_sent_does_not_act_on_the_terminal(served: Served) -> None:
    """Types, references, headers and bodies are spelled out where they hold control characters; line ends of bodies stay."""
    odd = event(
        1,
        headers=ODD_HEADERS,
        event_type="\x1b]0;owned\x07",
        reference="a\nb\u202e",
        verdict=Verdict.REFUSED,
        reason="no_secret",
    )
    served.process.log.keep(odd, "line 1\nline 2 \x1b[2J\x9b".encode(), delivery(odd))
    for args in (("list",), ("show", odd.id), ("show", odd.id, "--json"), ("list", "--json")):
        result = served.run("events", *args)
        assert result.exit_code == 0
        assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(result.stdout), args
    shown = served.run("events", "show", odd.id).stdout
    assert "line 1\nline 2 \\x1b[2J" in shown
    assert "authorization: (hidden)" in shown
    assert "refused (no_secret)" in shown


def test_a_split_event_and_its_items_name_each_other(served: Served) -> None:
    """In words and in JSON."""
    whole, item = event(1, verdict=Verdict.SPLIT), event(2)
    served.process.log.keep(whole, b"[1]")
    served.process.log.keep(item, b"1", delivery(item), item_of=whole.id)
    assert "split into its items" in served.run("events", "list", "--state", "split").stdout
    assert f"Items       {item.id}" in served.run("events", "show", whole.id).stdout
    assert f"Item of     {whole.id}" in served.run("events", "show", item.id).stdout
    assert json.loads(served.run("events", "show", whole.id, "--json").stdout)["items"] == [item.id]
    assert json.loads(served.run("events", "show", item.id, "--json").stdout)["event"]["item_of"] == whole.id


def test_an_unknown_event_fails_in_words(served: Served) -> None:
    """Whatever is given for an id."""
    for given in ("..", "?x=1#\x1b", "%2e"):
        result = served.run("events", "show", given)
        assert result.exit_code == 1
        assert "There is no event" in result.stderr, given
    assert served.run("events", "show", "../../../health").exit_code == 1


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_takes_ids_filters_and_a_dry_run(served: Served, name: str) -> None:
    """Bare, it is refused; with ids or a filter, what was named reaches the agent."""
    bare = served.run("events", name)
    assert bare.exit_code == 2
    assert "--all" in bare.stderr
    assert served.run("events", name, "--tests").exit_code == 2
    assert served.process.control.calls == []
    done = json.loads(served.run("events", name, "abc", "def", "--dry-run", "--json").stdout)
    assert (done["matched"], done["changed"], done["dry_run"]) == (3, 2, True)
    told = served.run("events", name, "--touchpoint", "orders", "--state", "held")
    assert "3 matched, changed 2, 1 in another state" in told.stdout
    assert served.run("events", name, "--all").exit_code == 0
    first, second, third = served.process.control.calls
    assert first[1] == ACTIONS[name][0]
    assert (first[2].ids, first[3]) == (("abc", "def"), True)
    assert (second[2].touchpoint, second[2].state, second[3]) == (1, "held", False)
    assert (third[2].touchpoint, third[2].state) == (None, None)


def test_a_bad_time_fails_in_words(served: Served) -> None:
    """The agent's words reach the person."""
    result = served.run("events", "list", "--since", "yesterday")
    assert result.exit_code == 1
    assert "36h" in result.stderr
