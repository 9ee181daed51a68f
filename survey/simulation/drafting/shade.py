"""How much of every structure is hidden by crowns: a detector must be able to see most of it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from survey.simulation.drafting.chances import cut_span
from survey.simulation.drafting.site import Site
from survey.simulation.scene import Part, Span, Structure

__all__ = ["Shade"]

_Geometries = npt.NDArray[np.object_]
_OVERHANG = 0.4  # share of a crown that may hang over roofs
# Shares of a structure that one crown, and all of them together, may hide.
_HIDDEN, _HIDDEN_BY_ALL = 0.3, 0.4
# The same of the sheds that are put up under trees; of those drawn a quarter finds no tree,
# as measured, which leaves one new shed in eight.
_SHELTERED, _SHELTERED_SHARE = 0.55, 0.16
_SMALL_M2 = 45.0


class Shade:
    """What crowns hide of every structure at every flight; it grows by all that it admits.

    Parameters
    ----------
    rng
        Source of chance; draws which new sheds are put up under trees.
    site
        The structures.
    """

    def __init__(self, rng: np.random.Generator, site: Site) -> None:
        plots, count = site.plots, len(site.structures)
        self._plots = plots
        self._covered = np.array([plots.covered(flight) for flight in range(site.flights)])
        weights = self._covered * shapely.area(plots.shapes)
        self._area = np.array([np.bincount(plots.owner, row, count) for row in weights])
        self._hidden = np.zeros_like(self._area)
        new = np.array([_is_new_shed(item) for item in site.structures], dtype=np.bool_)
        sheltered = new & (rng.random(count) < _SHELTERED_SHARE)
        self._one = np.where(sheltered, _SHELTERED, _HIDDEN)
        self._all = np.where(sheltered, _SHELTERED, _HIDDEN_BY_ALL)
        self.sheltered: tuple[Part, ...] = tuple(
            site.structures[i].states[0].parts[0] for i in np.flatnonzero(sheltered).tolist()
        )
        """The new sheds that are put up under trees."""

    def taken(self, crowns: _Geometries) -> npt.NDArray[np.bool_]:
        """Say at which flights each crown hangs too far over roofs, or hides too much of one.

        Parameters
        ----------
        crowns
            Crowns, shape (n,), local metres.

        Returns
        -------
        numpy.ndarray
            Shape (n, flights).
        """
        own, plot, over = self._overlaps(crowns)
        owner, size = self._plots.owner[plot], shapely.area(crowns)
        taken = np.zeros((len(crowns), len(self._area)), dtype=np.bool_)
        for flight, area in enumerate(self._area):
            here = over * self._covered[flight, plot]
            taken[:, flight] = np.bincount(own, here, len(crowns)) > _OVERHANG * size
            taken[own[here > self._one[owner] * area[owner]], flight] = True
        return taken

    def admit(self, crowns: _Geometries, spans: Sequence[Span]) -> list[Span | None]:
        """Enter crowns in their order, each for the flights at which all hide little enough.

        Parameters
        ----------
        crowns
            Crowns, shape (n,), local metres.
        spans
            The flights that would see each, n of them.

        Returns
        -------
        list
            What is left of every span; None where nothing is.
        """
        found: list[Span | None] = list(spans)
        own, plot, over = self._overlaps(crowns)
        order = np.argsort(own, kind="stable")
        trees, starts = np.unique(own[order], return_index=True)
        for tree, group in zip(trees.tolist(), np.split(order, starts[1:]), strict=False):
            owner, place = np.unique(self._plots.owner[plot[group]], return_inverse=True)
            pieces = over[group] * self._covered[:, plot[group]]
            here = pieces @ (place[:, np.newaxis] == np.arange(len(owner)))  # by structure
            most = self._all[owner] * self._area[:, owner]
            full = (here > 0.0) & (self._hidden[:, owner] + here > most)
            span = found[tree] = cut_span(spans[tree], full.any(axis=1))
            if span is not None:
                self._hidden[span.first : span.end, owner] += here[span.first : span.end]
        return found

    def _overlaps(
        self, crowns: _Geometries
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give crowns, the pieces of ground that they hang over, and by how many square metres."""
        own, plot = self._plots.tree.query(crowns, predicate="intersects")
        over = shapely.area(shapely.intersection(crowns[own], self._plots.shapes[plot]))
        return own, plot, over


def _is_new_shed(item: Structure) -> bool:
    first = item.states[0]
    small = sum(part.length_m * part.width_m for part in first.parts) < _SMALL_M2
    return first.flight > 0 and first.kind == "shed" and small
