"""What a page weighs: its scripts and styles together, as they travel."""

import gzip
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "web" / "page" / "static"
MOST = 60_000  # bytes, gzipped


def test_scripts_and_styles_stay_light() -> None:
    """All of them together, though no page asks for every one, are under 60 KB gzipped."""
    files = [file for kind in ("*.css", "*.js") for file in STATIC.rglob(kind)]
    assert STATIC / "vendor" / "htmx.min.js" in files, "the libraries are missing: run build.py"
    sizes = {file.name: len(gzip.compress(file.read_bytes(), mtime=0)) for file in files}
    assert sum(sizes.values()) < MOST, sizes
