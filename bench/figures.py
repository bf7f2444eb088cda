"""Medians over runs, ratios, and tables of them.

Not here: what is measured.
"""

import sys
from collections.abc import Iterable, Sequence
from statistics import median

from .systems.system import Sample

HEAD = ("", "answers/s", "× Exim", "p50 ms", "p99 ms", "÷ Exim", "CPU s/1000", "÷ Exim", "wrong")


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_table(rows: Iterable[Sequence[str]]) -> None:
    """The first column to the left, figures to the right."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *cells in table:
        figures = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        say("  ".join([f"{name:<{widths[0]}}", *figures]).rstrip())


def row(name: str, samples: Sequence[Sample], reference: Sequence[Sample]) -> list[str]:
    """The medians of a system, and what they are to those of `reference`."""
    rate, p50_ms, p99_ms, cpu_s = _medians(samples)
    of_rate, _, of_p99_ms, of_cpu_s = _medians(reference) if reference else (0.0,) * 4
    wrong = sum(sum(sample.wrong.values()) for sample in samples)
    answered = bool(rate)
    return [
        name,
        f"{rate:,.0f}" if rate >= 10 or not answered else f"{rate:.1f}",
        _ratio(rate, of_rate),
        f"{p50_ms:,.1f}" if answered else "–",
        f"{p99_ms:,.1f}" if answered else "–",
        _ratio(p99_ms, of_p99_ms) if answered else "",
        f"{cpu_s:.2f}" if cpu_s and answered else "–",
        _ratio(cpu_s, of_cpu_s) if answered else "",
        str(wrong) if wrong else "",
    ]


def _medians(samples: Sequence[Sample]) -> tuple[float, float, float, float]:
    """Rate, p50, p99 and CPU; latencies and CPU of those runs that had answers."""
    answered = [sample for sample in samples if sample.rate] or samples
    return (
        median(sample.rate for sample in samples),
        median(sample.p50_ms for sample in answered),
        median(sample.p99_ms for sample in answered),
        median(sample.cpu_s for sample in answered),
    )


def _ratio(figure: float, reference: float) -> str:
    return f"{figure / reference:.2f}" if figure and reference else ""
