"""What is said of a tile: by the detector, by roofs known here, by evidence made elsewhere."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from change.local_roofs import LocalRoofs, likely_roofs
from change.model.detector import Detector, Maps, look
from change.model.manifest import MAPS
from change.model.second_look import agreed
from change.outside_evidence import OutsideEvidence
from survey.light import to_lab, without_colours
from survey.pair import Pair
from survey.windows import Window

__all__ = ["Observer"]

# How much what roofs look like here counts for what appeared, and how sure anything is taken to be.
_LOCAL_SHARE, _BELIEVED = 0.5, 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Everything that looks at the pictures of a pair."""

    detector: Detector
    """The model."""
    evidence: OutsideEvidence | None
    """Evidence made elsewhere; where it says something it takes the place of the model's."""
    local: LocalRoofs | None
    """What roofs look like here; None where too few are known."""

    @property
    def names(self) -> tuple[str, ...]:
        """The maps it gives, of ``change.model.manifest.MAPS``."""
        bands = () if self.evidence is None else self.evidence.bands
        told = {*self.detector.gives, *(name for name, _band in bands)}
        return tuple(name for name in MAPS if name in told)

    def look(self, data: xr.Dataset, window: Window, pair: Pair) -> Maps:
        """Return the maps of a window, 0 where a flight shows no ground.

        Parameters
        ----------
        data
            As ``survey.pair.PairReader.read`` returns it.
        window
            Where it lies on the grid of the pair.
        pair
            The flights.
        """
        seen = data["seen_before"].values & data["seen_after"].values
        silent = np.zeros(seen.shape, np.float32)
        if not seen.any():
            return dict.fromkeys(self.names, silent)
        pictures = data["before"].values, data["after"].values
        maps = look(self.detector, *pictures, pair.grid.pixel_m, seen)
        if len(set(pair.coloured)) > 1:
            # A model takes for new what has colours beside greys; in greys alone it sees a third
            # less.
            greys = without_colours(pictures[0]), without_colours(pictures[1])
            again = look(self.detector, *greys, pair.grid.pixel_m, seen)
            maps = {name: agreed(said, again[name]) for name, said in maps.items()}
        if self.local is not None:
            labs = to_lab(pictures[0]), pair.light.apply(to_lab(pictures[1]))
            maps = _as_here(maps, labs, self.local, pair.grid.pixel_m)
        if self.evidence is not None:
            for name, said in self.evidence.read(pair.grid, window).items():
                maps[name] = np.where(np.isnan(said), maps.get(name, silent), said)
        return {name: np.where(seen, maps[name], np.float32(0)) for name in self.names}


def _as_here(
    maps: Maps,
    labs: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    local: LocalRoofs,
    pixel_m: float,
) -> Maps:
    """Return what the detector says, put right by what roofs look like here.

    Where the known roofs make a roof likelier, in the later picture more than in the earlier, it is
    likelier, too, that one appeared: on the logistic scale by a share of that.
    """
    told, more = dict(maps), []
    for name, lab in zip(("roof_before", "roof_after"), labs, strict=True):
        if name not in maps:
            return maps
        told[name] = likely_roofs(local, lab, maps[name], pixel_m)
        more.append(_points(told[name]) - _points(maps[name]))
    for name, gain in (("appeared", more[1] - more[0]), ("gone", more[0] - more[1])):
        points = _points(maps[name]) + _LOCAL_SHARE * gain
        told[name] = np.asarray(1 / (1 + np.exp(-points)), np.float32)
    return told


def _points(likely: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities on the logistic scale, none of them beyond belief."""
    kept = np.clip(likely, 1 - _BELIEVED, _BELIEVED)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)
