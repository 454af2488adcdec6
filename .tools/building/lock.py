"""The lock files: exact versions with hashes, for every system, naming no address."""

import shutil

from building.place import LOCKS, NPM, PAGE_NPM, ROOT, program, quiet, say

_UNIVERSAL = ["--universal", "--python-version", "3.11", "--generate-hashes"]
_BARE = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet"]


def lock(arguments: list[str]) -> None:
    """Write .requirements/*.txt and both package-lock.json. Versions stay unless `--upgrade` is given."""
    say("· .requirements/run.txt, dev.txt, exe.txt and node.txt")
    _python("run", ["pyproject.toml", "--group", "build"], arguments)
    _python("dev", ["pyproject.toml", "--group", "dev"], [*arguments, "--constraint", str(LOCKS / "run.txt")])
    _python("exe", ["pyproject.toml", "--group", "exe"], [*arguments, "--constraint", str(LOCKS / "run.txt")])
    _python("node", ["--group", "node"], arguments)
    for folder in (NPM, PAGE_NPM):
        say(f"· {folder.relative_to(ROOT).as_posix()}/package-lock.json")
        quiet([shutil.which("npm") or "npm", "install", "--package-lock-only"], cwd=folder, mend="See the words above.")


def _python(name: str, what: list[str], arguments: list[str]) -> None:
    output = ["--output-file", str(LOCKS / f"{name}.txt")]
    quiet(
        [program("uv"), "pip", "compile", *what, *_UNIVERSAL, *_BARE, *output, *arguments],
        cwd=ROOT,
        mend="See the words above.",
    )
