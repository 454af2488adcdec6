"""What the last run of each case found, in docs/chaos.json: long cases take hours, so that each may be of a run of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "docs" / "chaos.json"


def last_runs() -> list[dict[str, Any]]:
    """One row a case: `{name, seconds, tried, lost, repeated, stuck, admitted, notes, commit, short}`."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
    return found


def keep(run: Mapping[str, Any], *, order: Sequence[str], file: Path = FILE) -> None:
    """Put the cases of a run (`{commit, short, cases}`) in the place of what was found of them before."""
    before = json.loads(file.read_text(encoding="utf-8"))["cases"] if file.exists() else []
    rows = {one["name"]: one for one in before}
    for one in run["cases"]:
        rows[one["name"]] = {**one, "commit": run["commit"], "short": run["short"]}
    told = {"cases": [rows[name] for name in order if name in rows]}
    whole = file.with_suffix(".new")
    whole.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8", newline="\n")
    whole.replace(file)
