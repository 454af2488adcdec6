"""What design.md promises about the shape of the code, beyond what import-linter and ruff can say."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from building.check import ours

from touchpoints.problem import catalogue

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("appliance", "store", "touchpoints", "web")
TOP_LEVEL = {
    *PACKAGES,
    "tests",
    "docs",
    "pyproject.toml",
    "build.py",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "build",
    "dist",
}
LINES = 320
# What only one system has: modules, and names of modules that exist on both.
POSIX_ONLY = re.compile(
    r"curses|fcntl|grp|posix|pty|pwd|readline|resource|syslog|termios|tty"
    r"|os\.(?:chown|chroot|f?chmodat|fchmod|fchown|fork|forkpty|get[er]?[ug]id|getgroups|getloadavg|getpgid|getpgrp|getpriority"
    r"|getresuid|getsid|initgroups|killpg|lchown|mkfifo|mknod|nice|openpty|posix_spawnp?|sched_\w+|sendfile|set[er]?[ug]id"
    r"|setgroups|setpgid|setpriority|setsid|statvfs|sysconf|uname|wait|waitid|O_CLOEXEC|O_DIRECTORY|O_NOFOLLOW)"
    r"|signal\.(?:SIG(?:ALRM|CHLD|CONT|HUP|KILL|PIPE|QUIT|STOP|TSTP|USR1|USR2|WINCH)|alarm|pause|pthread_\w+|setitimer|sigwait)"
    r"|socket\.(?:AF_UNIX|SO_REUSEPORT)|asyncio\.(?:open|start)_unix_\w+"
)
WINDOWS_ONLY = re.compile(
    r"msvcrt|nt|winreg|winsound|ctypes\.(?:GetLastError|WinDLL|WinError|oledll|windll|wintypes)"
    r"|os\.(?:add_dll_directory|startfile)|signal\.(?:SIGBREAK|CTRL_\w+_EVENT)|asyncio\.Windows\w+"
    r"|subprocess\.(?:CREATE_\w+|DETACHED_PROCESS|STARTUPINFO|STARTF_\w+|SW_HIDE)"
)
POSIX_METHODS = {"add_reader", "add_signal_handler", "add_writer", "create_unix_connection", "create_unix_server"}  # of a loop
IMPURE = {"aiohttp", "aiosqlite", "anyio", "asyncio", "httpx", "litestar", "sqlite3", "threading", "uvicorn"}
BARE_EXCEPTION = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(?:, [A-Z]+\d+)* - \S)|#\s*type:\s*ignore(?!\[[\w, -]+\]\s+# \S)")
SQL = re.compile(
    r"\s*(?:SELECT\s|INSERT (?:OR \w+ )?INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|(?:CREATE|DROP|ALTER) \w+\s|PRAGMA \w)"
)


@cache
def sources() -> dict[str, ast.Module]:
    """The product's files, parsed, by their path from the root."""
    files = [file for package in PACKAGES for file in ours(ROOT / package) if file.suffix == ".py"]
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of what a file imports, as module and as module.name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """String constants of a file, docstrings among them."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls of a function or class of that name, with the place."""
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == name:
                yield f"{path}:{node.lineno}", node


def problems() -> Iterator[tuple[str, str, ast.Call]]:
    """Calls of `problem("code", ...)` whose code is written out, with place and code."""
    for place, call in calls("problem"):
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
            yield place, call.args[0].value, call


def fields(template: str) -> set[str]:
    """Names of the fields a template of words has."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_files_are_short() -> None:
    """No file of the product or of build.py is too long to read in one go."""
    files = [file for file in ours(ROOT) if file.suffix == ".py" and ROOT / "tests" not in file.parents]
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {path: lines for path, lines in lengths.items() if lines > LINES} == {}


def test_top_level_is_the_system_at_a_glance() -> None:
    """The top folder holds what design.md names and nothing else."""
    names = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".") and entry.name != "__pycache__"}
    assert names - TOP_LEVEL == set()


def system_specific(tree: ast.Module) -> tuple[set[str], set[str]]:
    """What a file uses that only POSIX has, and what only Windows has: modules, their names, an event loop's methods."""
    used = {part for name in imported(tree) for part in (name, name.split(".", maxsplit=1)[0])}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used |= {f"{node.value.id}.{node.attr}" for node in attributes if isinstance(node.value, ast.Name)}
    posix, windows = ({name for name in used if names.fullmatch(name)} for names in (POSIX_ONLY, WINDOWS_ONLY))
    return posix | {node.attr for node in attributes} & POSIX_METHODS, windows


def test_system_specific_code_stands_apart() -> None:
    """What only POSIX or only Windows has is used in files named so."""
    wrong = []
    for path, tree in sources().items():
        posix, windows = system_specific(tree)
        wrong += [f"{path}: {name}" for name in sorted(posix) if not path.endswith("_posix.py")]
        wrong += [f"{path}: {name}" for name in sorted(windows) if not path.endswith("_windows.py")]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "posix", "windows"),
    [
        ("import fcntl", {"fcntl"}, set()),
        ("from os import getuid", {"os.getuid"}, set()),
        ("import os\nos.fchmod(1, 2)", {"os.fchmod"}, set()),
        ("import signal\nx = signal.SIGHUP", {"signal.SIGHUP"}, set()),
        ("loop.add_signal_handler(1, stop)", {"add_signal_handler"}, set()),
        ("import ctypes\nctypes.windll.kernel32", set(), {"ctypes.windll"}),
        ("import os\nos.startfile('x')", set(), {"os.startfile"}),
        ("import os, signal\nos.replace('a', 'b'), signal.SIGTERM, getattr(signal, 'SIGBREAK', None)", set(), set()),
    ],
)
def test_system_specific_code_is_seen(source: str, posix: set[str], windows: set[str]) -> None:
    """The eyes of the test above."""
    assert system_specific(ast.parse(source)) == (posix, windows)


def test_deciding_is_pure() -> None:
    """Everything in touchpoints but its destinations does without event loop, HTTP client, database and those."""
    wrong = []
    for path, tree in sources().items():
        if path.startswith("touchpoints/") and not path.startswith("touchpoints/destinations/"):
            names = set(imported(tree))
            wrong += [f"{path}: {name}" for name in sorted(names) if name.split(".", maxsplit=1)[0] in IMPURE]
            wrong += [f"{path}: {name}" for name in sorted(names) if name.startswith("touchpoints.destinations")]
    assert wrong == []


def comments(file: Path) -> Iterator[tuple[int, str]]:
    """Comments of a file with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_exceptions_are_justified() -> None:
    """Each `noqa`, and outside the tests each `type: ignore`, names its rule and a reason on its line."""
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {text}"
        for file in ours(ROOT)
        if file.suffix == ".py"
        for line, text in comments(file)
        if BARE_EXCEPTION.search(text) and not (ROOT / "tests" in file.parents and "type:" in text)
    ]
    assert wrong == []


def test_bare_exceptions_are_seen() -> None:
    """The pattern of the test above tells exceptions with a reason from those without."""
    bare = ("# noqa", "# noqa: S105", "# noqa: S105, S106", "#noqa because", "# type: ignore", "# type: ignore[no-any-return]")
    reasoned = ("# noqa: S105 - SQL, no password", "# type: ignore[assignment]  # so that it fails", "# type: ignore[x] # why")
    assert [text for text in bare if not BARE_EXCEPTION.search(text)] == []
    assert [text for text in reasoned if BARE_EXCEPTION.search(text)] == []


def test_sql_stands_under_store() -> None:
    """No other package speaks SQL."""
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in sources().items()
        if not path.startswith("store/")
        for node in strings(tree)
        if SQL.match(str(node.value))
    ]
    assert wrong == []


def test_sql_pattern_sees_sql() -> None:
    """The pattern of the test above finds statements, and no sentences."""
    assert all(
        SQL.match(text) for text in ("SELECT 1", "\n  INSERT INTO a VALUES (1)", "UPDATE a SET b = 1", "PRAGMA user_version")
    )
    assert not any(
        SQL.match(text) for text in ("Select a touchpoint", "UPDATE", "Create a touchpoint", "insert into the folder")
    )


def test_problem_codes_have_words() -> None:
    """Every code that source hands to `problem`, or refuses a sender with, is in the catalogue."""
    unknown = [f"{place}: {code}" for place, code, _ in problems() if code not in catalogue()]
    for place, call in calls("Refused"):
        codes = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        written = [node.value for node in codes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        unknown += [f"{place}: {code}" for code in written if code not in catalogue()]
    assert unknown == []


def test_problem_words_get_their_values() -> None:
    """Every field of a problem's words is filled where source makes that problem."""
    lacking = []
    for place, code, call in problems():
        given = {keyword.arg for keyword in call.keywords}
        if None in given or code not in catalogue():
            continue
        words = catalogue()[code]
        lacking += [
            f"{place}: {name}" for name in sorted(fields(words["text"]) | fields(words.get("mend", ""))) if name not in given
        ]
    assert lacking == []


def test_problem_words_are_used() -> None:
    """No code is left in the catalogue that no source names."""
    named = {str(node.value) for tree in sources().values() for node in strings(tree)}
    assert sorted(catalogue().keys() - named) == []


@pytest.mark.parametrize("file", sorted((ROOT / "touchpoints" / "problems").glob("*.toml")), ids=lambda file: str(file.stem))
def test_problem_words_are_whole(file: Path) -> None:
    """Each problem has a text that ends as a sentence, and nothing but text and mend."""
    for code, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
        assert words.keys() <= {"text", "mend"}, code
        assert words["text"].endswith((".", "!", "?", "}")), code
