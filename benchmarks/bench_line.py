"""The line from two files to suspects, over one plain decode of the same files, and its memory."""

from dataclasses import replace
from functools import lru_cache

import pytest

from benchmarks.measures import SETTINGS, Measure, job, opened, peak_memory_mb
from benchmarks.pairs import SIDES_PX, file_pair
from change.detection import detect
from survey.alignment import Alignment, align, common_ground
from survey.pair import Pair, make_pair
from survey.runs import hash_inputs
from survey.working_copy import working_copies

LARGE_PX = SIDES_PX[-1]

with_and_without_overviews = pytest.mark.parametrize("overviews", [False, True])


@lru_cache
def paired(overviews: bool) -> Pair:
    return make_pair(*opened(file_pair(LARGE_PX, overviews=overviews)), SETTINGS)


@with_and_without_overviews
def test_hash(measure: Measure, overviews: bool) -> None:
    pair = file_pair(LARGE_PX, overviews=overviews)
    named = list(zip(("before", "after"), pair.orthos, strict=True))
    measure("hash", lambda: hash_inputs(named), side_px=LARGE_PX, overviews=overviews)


@with_and_without_overviews
def test_align(measure: Measure, overviews: bool) -> None:
    flights = opened(file_pair(LARGE_PX, overviews=overviews))
    grid = common_ground(*flights, SETTINGS.detect.pixel_m)

    def aligned() -> Alignment:
        with working_copies(flights, grid.pixel_m, say=print) as copied:
            return align(*copied[:2], grid, SETTINGS.align)

    alignment = measure(
        "align, working copies included", aligned, side_px=LARGE_PX, overviews=overviews
    )
    assert alignment.verdict == "verified"


@with_and_without_overviews
def test_detect(measure: Measure, overviews: bool) -> None:
    pair = paired(overviews)
    flights = pair.before, pair.after
    with working_copies(flights, pair.grid.pixel_m, say=print) as (before, after):
        copied = replace(pair, before=before, after=after)
        found = measure(
            "detect, copies made",
            lambda: detect(copied, SETTINGS),
            side_px=LARGE_PX,
            overviews=overviews,
        )
    assert found.changes


@with_and_without_overviews
@pytest.mark.parametrize("side_px", SIDES_PX)
def test_job(measure: Measure, side_px: int, overviews: bool) -> None:
    pair = file_pair(side_px, overviews=overviews)
    measure("whole job", lambda: job(pair), side_px=side_px, overviews=overviews)


@with_and_without_overviews
def test_job_with_surfaces(measure: Measure, overviews: bool) -> None:
    pair = file_pair(LARGE_PX, overviews=overviews)
    measure(
        "whole job with surface models",
        lambda: job(pair, surfaces=True),
        side_px=LARGE_PX,
        overviews=overviews,
    )


def test_memory_of_imports(remember: Measure) -> None:
    side_px = SIDES_PX[0]
    remember(
        "imports alone",
        lambda: peak_memory_mb(side_px, overviews=False, work="nothing"),
        side_px=side_px,
        overviews=False,
    )


@with_and_without_overviews
@pytest.mark.parametrize("side_px", SIDES_PX)
def test_memory(remember: Measure, side_px: int, overviews: bool) -> None:
    file_pair(side_px, overviews=overviews)
    remember(
        "whole job",
        lambda: peak_memory_mb(side_px, overviews=overviews),
        side_px=side_px,
        overviews=overviews,
    )
