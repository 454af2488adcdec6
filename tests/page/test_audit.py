"""The audit screen: every action in words, long details folded."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.people import AuditLine
from tests.web.api.stand_in import NOW, StandIn
from web.page.actions import ACTIONS
from web.page.settings.audit import told
from web.page.words import catalogue, known

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = {"AuditLine", "write_audit", "_audit_agent", "_note"}
METHODS = {"write_down", "audit", "_note", "_save"}
FILES = {"json", "toml", "txt", "zip"}  # what else looks like a code
WORDS = "settings.audit.action."


def written() -> Iterator[str]:
    """Every action code in a function that writes the audit log, or that hands a code to one which does."""
    for package in ("appliance", "store", "web"):
        for file in (ROOT / package).rglob("*.py"):
            module = ast.parse(file.read_text(encoding="utf-8"))
            named = {name.id: one.value for one in module.body if isinstance(one, ast.Assign) for name in names(one)}
            for function in ast.walk(module):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(writes, ast.walk(function))):
                    yield from codes(function)
                    for node in ast.walk(function):
                        if isinstance(node, ast.Name) and isinstance(named.get(node.id), ast.Constant):
                            yield from codes(named[node.id])


def names(assignment: ast.Assign) -> Iterator[ast.Name]:
    """What an assignment gives a value."""
    return (target for target in assignment.targets if isinstance(target, ast.Name))


def writes(node: ast.AST) -> bool:
    """Whether this calls what writes a line."""
    if not isinstance(node, ast.Call):
        return False
    return getattr(node.func, "attr", "") in METHODS or getattr(node.func, "id", "") in FUNCTIONS


def codes(part: ast.AST) -> Iterator[str]:
    """What looks like a code: `family.deed`, also as the default of an argument; `events.` stands for each action on events."""
    for node in ast.walk(part):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        family, dot, deed = node.value.partition(".")
        if node.value == "events.":
            yield from (f"events.{action}" for action in ACTIONS)
        elif dot and deed not in FILES and family.isidentifier() and deed.replace("_", "a").isalpha() and node.value.islower():
            yield node.value


def test_every_action_that_can_be_written_has_words() -> None:
    """Whatever the program writes down, the screen tells in words; and it has no words for what nothing writes."""
    found = set(written())
    assert {"config.apply", "person.sign_in", "events.replay", "touchpoint.remove", "tokens.add", "admin.reset"} <= found
    assert {code for code in found if not known(WORDS + code)} == set()
    assert {key.removeprefix(WORDS) for key in catalogue() if key.startswith(WORDS)} - found == set()


def test_a_line_is_told_in_words() -> None:
    """The machine and tokens are named; an action of another version stands as its code."""
    line = AuditLine(at=NOW, actor="machine", action="person.add", detail="bob")
    assert (told(line).who, told(line).what, told(line).folded) == ("this machine", "Added a person", False)
    assert told(AuditLine(at=NOW, actor="token:ci", action="x.y", detail="")).who == "token ci"
    assert told(AuditLine(at=NOW, actor="ann", action="x.y", detail="")).what == "x.y"


async def test_long_details_are_folded_and_harmless(stand_in: StandIn) -> None:
    """A change of many settings is a number that opens; nothing in it is markup."""
    changes = ", ".join(f"touchpoint.t{number}.name added" for number in range(40))
    stand_in.people.lines = [
        AuditLine(at=NOW, actor="ann", action="config.apply", detail=changes),
        AuditLine(at=NOW, actor="<b>", action="person.sign_in_failed", detail="<script>"),
    ]
    async with stand_in.signed_in() as client:
        page = (await client.get("/settings/audit")).text
    assert "<summary>40 settings</summary>" in page
    assert page.count("<li><code") == 40
    assert "config.apply" not in page
    assert "Failed to sign in" in page
    assert "<script>" not in page.partition("<main")[2]
