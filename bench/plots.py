"""Plots as SVG: lines over a logarithmic axis, and bars. Both axes of values begin at zero.

Not here: what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log10
from pathlib import Path

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 70, 40, 34, 46
HEIGHT = 300
BAR, LABEL = 22, 230
_COLOURS = ("#2a6f97", "#c1666b", "#6a994e", "#8d6b94", "#bc8a3d", "#59656f")
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'font-family="sans-serif" font-size="13" fill="#333">\n'
    '<rect width="{width}" height="{height}" fill="#fff"/>'
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; its values lie `at` positions that are above zero."""

    name: str
    at: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    said: str  # what is written at its end


def draw_lines(path: Path, axis: str, lines: Sequence[Line]) -> None:
    """Lines over a logarithmic horizontal axis."""
    top = _round_up(max(value for line in lines for value in line.values))
    first = min(log10(at) for line in lines for at in line.at)
    last = max(log10(at) for line in lines for at in line.at)

    def x(at: float) -> float:
        return LEFT + (log10(at) - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [_HEAD.format(width=WIDTH, height=HEIGHT)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        level = y(share * top)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}" stroke="#ddd"/>'
        )
        parts.append(_text(LEFT - 8, level + 4, f"{share * top:,.4g}", "end"))
    for at in sorted({at for line in lines for at in line.at}):
        parts.append(_text(x(at), HEIGHT - BOTTOM + 18, f"{at:,.0f}", "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axis, "middle"))
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(
            f"{x(a):.1f},{y(v):.1f}" for a, v in zip(line.at, line.values, strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x(a):.1f}" cy="{y(v):.1f}" r="3" fill="{colour}"/>'
            for a, v in zip(line.at, line.values, strict=True)
        ]
        parts.append(_text(LEFT + number * 200, 20, line.name, "start", colour))
    _write(path, parts)


def draw_bars(path: Path, title: str, bars: Sequence[Bar]) -> None:
    """Bars from the left, one below the other."""
    most = max((bar.value for bar in bars), default=0.0) or 1.0
    room = WIDTH - LABEL - RIGHT - 110
    parts = [_HEAD.format(width=WIDTH, height=TOP + BAR * len(bars) + 12)]
    parts.append(_text(8, 20, title, "start"))
    for number, bar in enumerate(bars):
        y = TOP + number * BAR
        parts.append(_text(LABEL - 8, y + 14, bar.name, "end"))
        parts.append(
            f'<rect x="{LABEL}" y="{y + 2}" height="{BAR - 6}" '
            f'width="{max(bar.value / most * room, 1):.1f}" fill="{_COLOURS[0]}"/>'
        )
        parts.append(_text(LABEL + bar.value / most * room + 8, y + 14, bar.said, "start"))
    _write(path, parts)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(text)}</text>"


def _round_up(value: float) -> float:
    """The next number with one or two digits that count."""
    if value <= 0:
        return 1.0
    unit: float = 10.0 ** (len(str(int(value))) - 1 if value >= 1 else 0)
    return ceil(value / unit * 2) * unit / 2


def _write(path: Path, parts: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]))
