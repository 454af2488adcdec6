"""The lock files: exact versions with hashes, for every system, naming no address."""

import shutil

from building.place import LOCKS, NPM, ROOT, program, quiet, say

_UNIVERSAL = ["--universal", "--python-version", "3.11", "--generate-hashes"]
_BARE = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet"]


def lock(arguments: list[str]) -> None:
    """Write .requirements/*.txt and tests/npm/package-lock.json. Versions stay unless `--upgrade` is given."""
    say("· .requirements/run.txt and dev.txt")
    _python("run", "build", arguments)
    _python("dev", "dev", [*arguments, "--constraint", str(LOCKS / "run.txt")])
    say("· tests/npm/package-lock.json")
    quiet(
        [shutil.which("npm") or "npm", "install", "--package-lock-only"],
        cwd=NPM,
        mend="See the words above.",
    )


def _python(name: str, group: str, arguments: list[str]) -> None:
    output = ["--output-file", str(LOCKS / f"{name}.txt")]
    quiet(
        [program("uv"), "pip", "compile", "pyproject.toml", "--group", group, *_UNIVERSAL, *_BARE, *output, *arguments],
        cwd=ROOT,
        mend="See the words above.",
    )
