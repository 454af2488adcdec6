"""`python -m tests.released [NAME]` leaves a frozen set as this program makes it; `--freeze VERSION` writes down a release."""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from appliance import VERSION
from appliance.clock import Clock
from store.vault import read_key_file
from tests.chaos.scene import Skew
from tests.released.dump import dump
from tests.released.journey import LATER, journey
from tests.released.seen import seen_of_agent, seen_of_proxy
from tests.released.sets import FILES, HERE, TABLE, digests, released


async def make(name: str) -> None:
    """Travel, and keep what is left."""
    target = HERE / name
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        travelled = await journey(folder)
        for kind, (whose, file) in FILES.items():
            text = dump(folder / whose / file, travelled.ports)
            (target / f"{kind}.sql").write_text(text, encoding="utf-8", newline="\n")
        for whose, file in (("one", "agent.key"), ("proxy", "proxy.key")):
            key = read_key_file(folder / whose / "secret.key")
            (target / file).write_text(f"{key.hex()}\n", encoding="ascii", newline="\n")
        clock = Skew()
        clock.wall = LATER - Clock().now()
        told = {
            "waiting": sorted(travelled.waiting),
            "first": travelled.first,
            "agent": await seen_of_agent(folder / "one", clock),
            "proxy": await seen_of_proxy(folder / "proxy", clock),
        }
    (target / "told.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8", newline="\n")


def freeze(version: str) -> None:
    """Write down what goes out with a version; what went out before stays as it is."""
    assert version not in released(), "it is out already"
    lines = [
        f'\n["{version}".{kind}]\n' + "".join(f'"{name}" = "{one}"\n' for name, one in digests(kind).items()) for kind in FILES
    ]
    with TABLE.open("a", encoding="utf-8", newline="\n") as table:
        table.writelines(lines)


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.released", description="Frozen data folders of each schema.")
    parser.add_argument("name", nargs="?", default=VERSION, help="of the set; this program's version where none is given")
    parser.add_argument("--freeze", metavar="VERSION", help="write down the migrations that go out with it instead")
    given = parser.parse_args(arguments)
    if given.freeze:
        freeze(given.freeze)
        return 0
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(make(given.name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
