"""One thread, one decode of the same files to hold every figure against, one table at the end."""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):  # read when numpy is first imported
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
os.environ["LANGUAGE"] = "en"

from collections.abc import Callable  # noqa: E402
from functools import lru_cache  # noqa: E402
from typing import Any  # noqa: E402

import cv2  # noqa: E402
import pytest  # noqa: E402

from benchmarks.measures import Figure, Measure, cpu_seconds, decode, timed  # noqa: E402
from benchmarks.pairs import file_pair  # noqa: E402

cv2.setNumThreads(1)

_FIGURES: list[Figure] = []
_MEMORY: list[tuple[str, int, bool, float]] = []


@lru_cache
def _floor(side_px: int, overviews: bool) -> float:
    """Return the CPU seconds of decoding both files once: the best of three."""
    pair = file_pair(side_px, overviews=overviews)
    return min(timed(lambda: decode(pair)) for _round in range(3))


@pytest.fixture
def measure(benchmark: Any) -> Measure:
    """Return what runs a function once and notes its CPU seconds over those of one decode."""

    def run(what: str, function: Callable[[], Any], *, side_px: int, overviews: bool) -> Any:
        floor = _floor(side_px, overviews)
        start = cpu_seconds()
        result = benchmark.pedantic(function, rounds=1, iterations=1)
        seconds = cpu_seconds() - start
        ratio = seconds / floor
        benchmark.extra_info["ratio"] = round(ratio, 3)
        _FIGURES.append(
            Figure(what=what, side_px=side_px, overviews=overviews, seconds=seconds, ratio=ratio)
        )
        return result

    return run


@pytest.fixture
def remember(benchmark: Any) -> Measure:
    """Return what notes the peak memory that a function measured."""

    def run(what: str, function: Callable[[], float], *, side_px: int, overviews: bool) -> None:
        megabytes = benchmark.pedantic(function, rounds=1, iterations=1)
        benchmark.extra_info["peak_mb"] = round(megabytes)
        _MEMORY.append((what, side_px, overviews, megabytes))

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, ready for benchmarks/README.md."""
    write = terminalreporter.write_line
    if _FIGURES:
        write("")
        write("| what | side, px | overviews | CPU, s | over one decode of both |")
        write("|---|---|---|---|---|")
    for figure in _FIGURES:
        has = "yes" if figure.overviews else "no"
        cells = (figure.what, figure.side_px, has, f"{figure.seconds:.2f}", f"{figure.ratio:.2f}")
        write("| " + " | ".join(map(str, cells)) + " |")
    if _MEMORY:
        write("")
        write("| what | side, px | overviews | peak memory, MB |")
        write("|---|---|---|---|")
    for what, side_px, overviews, megabytes in _MEMORY:
        has = "yes" if overviews else "no"
        write(f"| {what} | {side_px} | {has} | {megabytes:.0f} |")
