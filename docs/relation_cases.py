"""The made cases of docs/suspicion.md: what stands where, what is permitted, and the reason due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import shapely
from pyproj import CRS
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from change.changes import Change
from change.districts.claims import Share, claim
from change.districts.layer import District, DistrictLayer
from change.permits import Permit, Permits
from change.protected import ProtectedGround, find_on_protected, points_of
from change.suspicion import Circumstances, Suspect, compare
from survey.settings import Settings

__all__ = ["FLOWN", "HEIGHT_ERROR_M", "Elevation", "Panel", "built", "layer_of", "permit", "shown"]

FLOWN = (date(2025, 3, 15), date(2025, 6, 20))
"""Days of the flights."""
HEIGHT_ERROR_M = 0.3
"""Expected error of heights gained (one sigma), m."""
# Flights are known to 0.3 m, the layer to 0.2 m (one sigma), the drawing to 0.5 m: 1 m in all.
_FLIGHTS_M, _LAYER_M, _UNKNOWN_LAYER_M = 0.3, 0.2, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """A building from the side, m above the ground."""

    top: float
    stood: float = 0.0
    permitted: float | None = None
    narrow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One made case, the reason it has to be given, and how it is shown."""

    change: Change
    reason: str
    permits: tuple[Permit, ...] | None = ()
    stood: tuple[BaseGeometry, ...] = ()
    layer_m: float = _LAYER_M
    empty: bool = False
    protected: BaseGeometry | None = None
    districts: tuple[BaseGeometry, ...] = ()
    elevation: Elevation | None = None
    dated: bool = False

    def judged(self) -> Suspect:
        """Return what the program says of it."""
        grounds = find_on_protected(
            [self.change.outline], list(self._grounds()), [self.change.tolerance_m]
        )
        known = Circumstances(
            flown_before=FLOWN[0],
            flown_after=FLOWN[1],
            height_error_m=HEIGHT_ERROR_M,
            placed_to=lambda _x, _y: self.layer_m,
            built={permit.row: not self.empty for permit in self.permits or ()},
            protected=grounds,
        )
        layer = None if self.permits is None else layer_of(self.permits)
        (found,) = compare([self.change], layer, Settings(), known)
        if found.reason != self.reason:
            raise AssertionError(f"meant as {self.reason}, but judged {found.reason}")
        return found

    def shares(self) -> list[Share]:
        """Return how much of it lies in each district, the own one first."""
        parts, owner = shapely.get_parts(list(self.districts), return_index=True)
        layer = DistrictLayer(
            level="township",
            source="townships.gpkg",
            districts=tuple(District(code=letter, name="") for letter in "AB"),
            parts=parts,
            owner=owner,
            assumptions=(),
            bad_rows=(),
        )
        outlines = shapely.get_parts([self.change.outline])
        return claim(layer, outlines, outlines).shares[0]

    def _grounds(self) -> Iterator[ProtectedGround]:
        if self.protected is not None:
            yield ProtectedGround(
                name="river",
                points=points_of("river", Settings().severity),
                source="river.gpkg",
                outlines=(self.protected,),
                labels=("",),
                assumptions=(),
                bad_rows=(),
            )


def layer_of(permits: tuple[Permit, ...]) -> Permits:
    """Return permits as a layer."""
    crs = CRS.from_epsg(4547)
    return Permits(
        permits=permits,
        source="permits.gpkg",
        layer="permits",
        crs=crs,
        outline_crs=crs,
        encoding="utf-8",
        rows=len(permits),
        columns=(),
        assumptions=(),
        remarks=(),
        bad_rows=(),
    )


def built(
    outline: BaseGeometry,
    kind: str = "building",
    gain: float | None = 6.4,
    *,
    tolerance_m: float = _FLIGHTS_M,
) -> Change:
    """Return a change that is new."""
    return Change(
        id="c",
        outline=outline,
        area_m2=outline.area,
        area_raw_m2=outline.area,
        kind=kind,
        origin="new",
        height_gain_m=gain,
        score=0.9,
        tolerance_m=tolerance_m,
        evidence=(),
    )


def permit(outline: BaseGeometry, **values: object) -> Permit:
    """Return a permit that limits nothing but its outline, and what is given."""
    usual: dict[str, object] = {
        "row": 1,
        "number": "A",
        "granted": date(2023, 5, 1),
        "valid_until": None,
        "footprint_m2": None,
        "floor_area_m2": None,
        "storeys": None,
        "height_m": None,
        "holder": "",
        "use": "",
    }
    return Permit(outline=outline, **(usual | values))


box = shapely.box
HOUSE = box(0, 0, 12, 9)
# Between the panels of one picture the ground is the same.
_ROW = (box(0, 10, 8, 16), box(11, 10, 19, 16), box(5, 0, 13, 6))
_OFF = tuple(permit(translate(o, 1.6, 1.2), number=n) for o, n in zip(_ROW, "ABC", strict=True))
_BACK = tuple(permit(outline, number=n) for outline, n in zip(_ROW, "ABC", strict=True))
_STRIP = built(box(2, -1.5, 10, 0), "annex", 3.1)
_RIVER = box(8, -4, 16, 16)


def shown() -> dict[str, tuple[Panel, ...]]:
    """Return the cases of each picture."""
    wide = (permit(HOUSE),)
    return {
        "as-permitted": (
            Panel(change=built(box(0.6, -0.5, 12.6, 8.7)), reason="as_permitted", permits=wide),
        ),
        "no-permit": (
            Panel(
                change=built(box(15, 0, 25, 9)),
                reason="no_permit",
                permits=(permit(box(0, 0, 10, 9)),),
                stood=(box(0, 0, 10, 9),),
            ),
        ),
        "beside-permit": (
            Panel(
                change=built(box(14, 0, 25, 9)),
                reason="beside_permit",
                permits=(permit(box(0, 0, 10, 9)),),
                empty=True,
            ),
        ),
        "exceeds-outline": (
            Panel(change=built(box(0, 0, 16, 9)), reason="exceeds_permit", permits=wide),
        ),
        "exceeds-height": (
            Panel(
                change=built(HOUSE, gain=12.6),
                reason="exceeds_permit",
                permits=(permit(HOUSE, height_m=9.0),),
                elevation=Elevation(top=12.6, permitted=9.0),
            ),
        ),
        "exceeds-footprint": (
            Panel(
                change=built(box(3, 2.5, 15, 13.5)),
                reason="exceeds_permit",
                permits=(permit(box(0, 0, 20, 16), footprint_m2=100.0),),
            ),
        ),
        "grown-annex": (
            Panel(
                change=built(box(12, 1.5, 16, 7.5), "annex", 3.1),
                reason="grown_beyond_permit",
                permits=wide,
                stood=(HOUSE,),
            ),
        ),
        "grown-storey": (
            Panel(
                change=built(HOUSE, "storey", 3.2),
                reason="grown_beyond_permit",
                permits=wide,
                stood=(HOUSE,),
                elevation=Elevation(top=9.6, stood=6.4),
            ),
        ),
        "grown-roof": (
            Panel(
                change=built(box(6, 2, 11, 7), "roof_addition", 2.6),
                reason="grown_beyond_permit",
                permits=wide,
                stood=(HOUSE,),
                elevation=Elevation(top=9.0, stood=6.4, narrow=True),
            ),
        ),
        "expired": (
            Panel(
                change=built(HOUSE),
                reason="permit_expired",
                permits=(permit(HOUSE, valid_until=date(2024, 10, 31)),),
                dated=True,
            ),
        ),
        "expired-temporary": (
            Panel(
                change=built(HOUSE, "shed", 3.0),
                reason="permit_expired",
                permits=(permit(HOUSE, valid_until=date(2025, 4, 30), temporary=True),),
                dated=True,
            ),
        ),
        "before-grant": (
            Panel(
                change=built(HOUSE),
                reason="before_grant",
                permits=(permit(HOUSE, granted=date(2025, 9, 1)),),
                dated=True,
            ),
        ),
        "removed-permitted": (
            Panel(change=built(HOUSE, "removed"), reason="removed_permitted", permits=wide),
        ),
        "removed-unpermitted": (
            Panel(
                change=built(box(15, 0, 25, 9), "removed"),
                reason="removed_unpermitted",
                permits=(permit(box(0, 0, 10, 9)),),
                stood=(box(0, 0, 10, 9),),
            ),
        ),
        "not-compared": (Panel(change=built(HOUSE), reason="not_compared", permits=None),),
        "offset": tuple(
            Panel(change=built(_ROW[2]), reason=reason, permits=permits, stood=_ROW[:2])
            for reason, permits in (("exceeds_permit", _OFF), ("as_permitted", _BACK))
        ),
        "tolerance": tuple(
            Panel(change=_STRIP, reason=reason, permits=wide, stood=(HOUSE,), layer_m=layer_m)
            for reason, layer_m in (
                ("grown_beyond_permit", _LAYER_M),
                ("as_permitted", _UNKNOWN_LAYER_M),
            )
        ),
        "protected": tuple(
            Panel(change=built(outline, tolerance_m=1.0), reason="no_permit", protected=_RIVER)
            for outline in (box(0.8, 1, 8.8, 11), box(2.5, 1, 10.5, 11))
        ),
        "border": (
            Panel(
                change=built(box(3, 2, 15, 11)),
                reason="no_permit",
                districts=(box(-9, -4, 7, 17), box(7, -4, 27, 17)),
            ),
        ),
    }
