"""Events for a person to read."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from appliance.command.client import Json
from appliance.command.terminal import moment, safe_lines, show, show_table

_LONGEST_BODY = 16 * 1024


def show_events(events: Iterable[Json]) -> None:
    """One line an event."""
    heads = ("RECEIVED", "ID", "TOUCHPOINT", "TYPE", "REFERENCE", "STATE")
    show_table(heads, [_line(one) for one in events])


def _line(one: Json) -> list[Any]:
    received = moment(one["received_at"])
    return [received, one["id"], one["touchpoint"], one["event_type"], one["reference"], state_of(one)]


def state_of(one: Json) -> str:
    """What became of an event, in a few words, e.g. `2 delivered, 1 pending`."""
    if one["waiting"]:
        words = "waiting"
    elif one["verdict"] == "refused":
        words = f"refused ({one['reason']})"
    elif one["verdict"] == "duplicate":
        words = f"duplicate of {one['duplicate_of']}"
    elif one["verdict"] == "split":
        words = "split into its items"
    elif one["deliveries"]:
        counts = Counter(delivery["state"] for delivery in one["deliveries"])
        words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    else:
        words = one["verdict"]
    return " ".join([words, *(f"[{flag}]" for flag in one["flags"]), *(["[test]"] if one["test"] else [])])


def show_event(shown: Json) -> None:
    """The event, its request, its deliveries and attempts, its body."""
    one = shown["event"]
    for label, value in (
        ("Event", one["id"]),
        ("Received", f"{one['received_at']} from {one['remote']} ({one['arrived_by']})"),
        ("Touchpoint", f"{one['touchpoint']} ({one['provider']})"),
        ("Type", one["event_type"]),
        ("Reference", one["reference"]),
        ("Dedup key", one["dedup_key"]),
        ("State", state_of(one)),
        ("Duplicates", ", ".join(shown["duplicates"])),
        ("Item of", one["item_of"]),
        ("Items", ", ".join(shown["items"])),
        ("Request", f"{one['method']} {shown['target']}"),
    ):
        if value:
            show(f"{label:<11} {value}")
    for name, value in shown["headers"]:
        show(f"  {name}: {value}")
    for delivery in one["deliveries"]:
        _show_delivery(delivery, [attempt for attempt in shown["attempts"] if attempt["delivery_id"] == delivery["id"]])
    _show_body(shown["body"])


def _show_delivery(delivery: Json, attempts: Iterable[Json]) -> None:
    due = f", due {delivery['due_at']}" if delivery["due_at"] else ""
    show(f"Delivery    {delivery['id']} to {delivery['destination']}, run {delivery['run']}: {delivery['state']}{due}")
    for attempt in attempts:
        status = attempt["http_status"] or attempt["error_code"]
        what = f"{attempt['outcome']} {status} {attempt['error']}".rstrip()
        show(f"  {attempt['number']}. {attempt['started_at']}, {attempt['duration_ms']} ms: {what}")


def _show_body(body: Json) -> None:
    show(f"Body        {body['bytes']} bytes, SHA-256 {body['sha256']}")
    if body["text"] is not None:
        click.echo(safe_lines(body["text"][:_LONGEST_BODY]))
        if len(body["text"]) > _LONGEST_BODY:
            show("… (--json shows more)")
    elif body["base64"] is not None:
        show("(not text; --json shows it as base64)")
    elif body["stored"]:
        show("(too long to show; /api/v1/events/ID/body has it)")
    else:
        show("(not stored any more)")
