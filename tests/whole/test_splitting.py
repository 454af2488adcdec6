"""Several events in one request: each is delivered, filtered and recognised by itself, through kills too."""

import csv
import io
import json
import time

import httpx

from tests.whole.destination import Destination
from tests.whole.hookport import Hookport

TOUCHPOINT = """
[[touchpoint]]
name = "orders"
provider = "generic"
split = true
items = "/value"
event_type = "json:/type"
reference = "json:/number"
events = ["order"]
[touchpoint.verify]
scheme = "none"
allow_unsigned = true
[touchpoint.dedup]
key = "json:/id"
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "{url}"
"""


def batch(*items: str) -> bytes:
    """A body with these items."""
    return b'{"value": [' + ", ".join(items).encode() + b"]}"


def test_every_item_is_an_event(hookport: Hookport, destination: Destination) -> None:
    """Item by item: bytes as sent, repeats and unwanted types left out, found by number, exported, told apart."""
    hookport.configure(TOUCHPOINT.format(url=destination.url))
    hookport.start()
    kept = '{"id":"a","type":"order","number":1042,"total":12345678901234567890.10}'
    body = batch(kept, '{"id":"b","type":"stock"}', kept, '{"id":"c","type":"order"}')
    for sent in (body, body, batch(), b'{"value": 1}'):
        assert httpx.post(hookport.url("orders"), content=sent).status_code == 200
    hookport.settled()

    assert sorted(got.body for got in destination.got) == sorted([kept.encode(), b'{"id":"c","type":"order"}'])
    rows = list(csv.DictReader(io.StringIO(hookport.run("export", "deliveries", "--format", "csv").stdout.lstrip("\ufeff"))))
    states = sorted(row["delivery_state"] for row in rows)
    assert states == [*["delivered"] * 2, *["duplicate"] * 4, *["filtered"] * 3, *["split"] * 3]
    found = json.loads(hookport.run("events", "list", "--reference", "1042", "--json").stdout)["events"]
    first = found[-1]
    shown = json.loads(hookport.run("events", "show", first["item_of"], "--json").stdout)
    assert (shown["event"]["verdict"], len(shown["items"]), shown["items"][0]) == ("split", 4, first["id"])
    assert shown["body"]["text"] == body.decode()


def test_killed_in_the_middle_no_item_is_lost_and_none_made_twice(hookport: Hookport, destination: Destination) -> None:
    """Whatever was answered 200 arrives item by item; a repeat bears the id of the first."""
    hookport.configure(TOUCHPOINT.format(url=destination.url))
    accepted: set[str] = set()
    for round_ in range(3):
        hookport.start()
        deadline = time.monotonic() + 0.5
        with httpx.Client() as sender:
            for number in range(200):
                names = [f"{round_}-{number}-{item}" for item in range(10)]
                items = [f'{{"id":"{name}","type":"order"}}' for name in names]
                if sender.post(hookport.url("orders"), content=batch(*items)).status_code == 200:
                    accepted |= {*names}
                if time.monotonic() > deadline:
                    break
        hookport.kill()
    hookport.start()
    hookport.settled()

    assert len(accepted) > 100
    got = {json.loads(one.body)["id"]: one.header("Hookport-Delivery") for one in destination.got}
    assert accepted <= set(got)
    assert len({one.header("Hookport-Delivery") for one in destination.got}) == len(got)
