"""The executables: made, tested by themselves, measured, made again."""

import tempfile
from pathlib import Path

from building.exe import DIST, KINDS, OWN_TARGET, build, build_here, executable
from building.exe_python import PLACE
from building.sbom import digest

from tests.bench.exe import exe
from tests.bench.figures import Report
from tests.verify.case import LeftOutError, must


def linux() -> Report:
    """Both builds of this system; `build` raises when one fails its own test."""
    made = build(OWN_TARGET)
    report = Report()
    for path in made:
        must(path.exists(), f"{path} was not made")
    sums = (DIST / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    wrong = [line[66:] for line in sums if digest(DIST / line[66:]) != line[:64]]
    must(sums and not wrong, f"SHA256SUMS is wrong for {', '.join(wrong) or 'everything: it is empty'}")
    report.add("files with a sum", len(sums), "")
    return report


def same() -> Report:
    """The same source made a second time, in another place: the same bytes."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="hookport-verify-") as name:
        again = Path(name)
        build_here(KINDS, again)
        first, second = _digests(PLACE / OWN_TARGET / "made"), _digests(again / "made")
    must(first, "nothing was made yet: name the case `linux` before this one")
    other = sorted(str(path) for path in first.keys() | second.keys() if first.get(path) != second.get(path))
    must(not other, f"made twice, these differ: {', '.join(other[:10])}")
    report.add("files that are the same", len(first), "")
    return report


def windows() -> Report:
    """Both builds for Windows, by Windows' Python under wine; each passes its own test there."""
    from building.windows import can_build_windows

    if why := can_build_windows():
        raise LeftOutError(why)
    made = build("windows")
    report = Report()
    for kind in KINDS:
        path = executable(DIST / "windows", kind, "windows")
        must(path in made and path.is_file(), f"{path} was not made")
        report.add(f"{kind}: size", path.stat().st_size / 1_000_000, "MB")
    return report


def figures() -> Report:
    """What was promised of size, start, memory and speed."""
    return exe(short=True)


def _digests(folder: Path) -> dict[Path, str]:
    return {file.relative_to(folder): digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}
