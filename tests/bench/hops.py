"""The store by itself, hop by hop: what `python -m tests.bench.store` prints, as figures."""

import re

from tests.bench.children import BenchError, finished, module
from tests.bench.figures import Report

LINE = re.compile(r"^  (\S.*?) +([0-9,]+) a second", re.MULTILINE)


def hops(*, short: bool) -> Report:
    """One run into an empty file."""
    output = finished(module("tests.bench.store", "1" if short else "5", "1"), seconds=300)
    report = Report()
    for name, number in LINE.findall(output):
        report.add(name, float(number.replace(",", "")))
    if not report.figures:
        raise BenchError(f"tests.bench.store told no figures:\n{output[-2000:]}")
    return report
