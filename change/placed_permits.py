"""The permits where a flight shows what they draw, and on which of them something stands."""

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Polygon

from change.permit_offset import LayerOffset, fit_offset
from change.permits import Permits
from change.sight import Sight
from change.standing import Standing, standing
from survey.settings import PermitSettings

__all__ = ["PlacedPermits", "place_permits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPermits:
    """A permit layer on the ground of a flight."""

    permits: Permits | None = None
    """The layer, moved; None where none was given."""
    offset: LayerOffset | None = None
    """How it was moved; None where none was given."""
    stands: tuple[Standing, ...] = ()
    """Whether something stands on each permit, in their order."""

    @property
    def built(self) -> dict[int, bool | None]:
        """Whether something stands on each permit, by its row; None where nobody can tell."""
        rows = () if self.permits is None else self.permits.permits
        return {permit.row: told.built for permit, told in zip(rows, self.stands, strict=True)}

    @property
    def roofs(self) -> list[Polygon]:
        """The permitted outlines, as roofs that may stand."""
        rows = () if self.permits is None else self.permits.permits
        parts = shapely.get_parts([permit.outline for permit in rows])
        return [part for part in parts if isinstance(part, Polygon)]

    @property
    def placed(self) -> bool:
        """Whether the layer's offset is known."""
        return self.offset is None or self.offset.found

    def placed_to(self, x: float, y: float) -> float:
        """Return how well the layer's place is known at (x, y) (one sigma), m."""
        if self.offset is None:
            return 0.0
        if not self.offset.found:
            # What is assumed where nothing can be measured is a tolerance, not a sigma.
            return 0.5 * self.offset.error_m
        return float(self.offset.field.uncertainty_at(np.array([x]), np.array([y]))[0])


def place_permits(
    permits: Permits | None,
    sight: Sight,
    settings: PermitSettings,
    *,
    executor: Executor | None = None,
) -> PlacedPermits:
    """Move permits to where a flight shows what they draw, and look what stands on them.

    Parameters
    ----------
    permits
        Outlines in the CRS of the flight's grid; None where no layer was given.
    sight
        What the flight shows.
    settings
        ``layer_search_m`` is the largest shift looked for.
    executor
        Where the work runs; the result is the same anywhere.
    """
    if permits is None:
        return PlacedPermits()
    offset = fit_offset(permits, sight, settings, executor=executor)
    moved = offset.moved(permits)
    stands = standing(moved, sight, errors_m=offset.error_at(moved), executor=executor)
    return PlacedPermits(permits=moved, offset=offset, stands=stands)
