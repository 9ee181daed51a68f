"""What detection costs after alignment, over decoding both orthophotos once."""

from dataclasses import dataclass, replace
from typing import Any

import cv2

from benchmarks.measures import SETTINGS, decode, opened, timed
from benchmarks.pairs import SIDES_PX, file_pair
from change.detection import detect
from survey.pair import make_pair
from survey.working_copy import working_copies

__all__ = ["CostCase", "cost_cases", "measure_cost"]

_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCase:
    """A pair of files of 5 cm."""

    side_px: int
    """Side of the files, pixels."""
    overviews: bool
    """Whether the files have overviews."""

    @property
    def name(self) -> str:
        """Side and overviews."""
        return f"cost-{self.side_px}{'-overviews' if self.overviews else ''}"


def cost_cases(*, judge: bool) -> tuple[CostCase, ...]:  # noqa: ARG001 - there is one draw
    """List the pairs: the large ones, with overviews and without."""
    return tuple(CostCase(side_px=SIDES_PX[-1], overviews=overviews) for overviews in (True, False))


def measure_cost(case: CostCase) -> dict[str, Any]:
    """Measure the CPU seconds of one decode and of detection on one core, copies made."""
    cv2.setNumThreads(1)
    files = file_pair(case.side_px, overviews=case.overviews)
    floor = min(timed(lambda: decode(files)) for _round in range(_ROUNDS))
    pair = make_pair(*opened(files), SETTINGS)
    with working_copies((pair.before, pair.after), pair.grid.pixel_m, say=print) as copied:
        ready = replace(pair, before=copied[0], after=copied[1])
        seconds = min(timed(lambda: detect(ready, SETTINGS)) for _round in range(2))
    return {
        "name": case.name,
        "side_px": case.side_px,
        "overviews": case.overviews,
        "decode_s": round(floor, 3),
        "detect_s": round(seconds, 3),
        "ratio": round(seconds / floor, 3),
    }
