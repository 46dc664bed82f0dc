"""A usage series as small drawings: each figure a line of points, made here so that a page needs no script for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bottool import wire

WIDTH, HEIGHT = 200, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``points`` are those of an SVG polyline in a box of 200 by 40; ``most`` is the highest figure, for people."""

    name: str
    most: str
    points: str


def lines(series: Sequence[wire.UsagePoint]) -> list[Line]:
    """One for each figure; none for a series without a course."""
    if len(series) < 2:  # noqa: PLR2004 - a line has two ends
        return []
    return [
        _line("Processor", series, lambda point: point.cpu_percent, lambda most: f"{most:.0f} %"),
        _line("Memory", series, lambda point: point.memory_bytes, lambda most: f"{most / 2**20:.0f} MB"),
        _line("Processes", series, lambda point: point.processes, lambda most: f"{most:.0f}"),
        _line("Open files", series, lambda point: point.open_files, lambda most: f"{most:.0f}"),
    ]


def _line(
    name: str,
    series: Sequence[wire.UsagePoint],
    figure: Callable[[wire.UsagePoint], float],
    said: Callable[[float], str],
) -> Line:
    most = max(figure(point) for point in series)
    first, last = series[0].at, series[-1].at
    points = " ".join(
        f"{(point.at - first) / max(last - first, 0.001) * WIDTH:.1f},"
        f"{HEIGHT - 1 - figure(point) / (most or 1) * (HEIGHT - 2):.1f}"
        for point in series
    )
    return Line(name=name, most=said(most), points=points)
