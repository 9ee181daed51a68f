"""What hypothesis draws: buildings, changes and permits around one place, in metres."""

from datetime import date

from hypothesis import strategies as st
from pyproj import CRS
from shapely import MultiPolygon, Polygon, affinity, box

from change.changes import Change
from change.permits import Permit, Permits

__all__ = ["changes", "make_change", "make_permit", "make_permits", "permits", "rectangles"]

CRS_114E = CRS.from_epsg(4547)
ORIGIN = (428_000.0, 2_555_000.0)


def make_change(outline: Polygon, kind: str = "building", **values) -> Change:
    """Return a change with nothing remarkable but what is given."""
    defaults = {
        "id": "c",
        "area_m2": outline.area,
        "area_raw_m2": outline.area,
        "origin": "new",
        "height_gain_m": 3.0,
        "score": 0.9,
        "tolerance_m": 0.5,
        "evidence": (),
    }
    return Change(outline=outline, kind=kind, **(defaults | values))


def make_permit(outline: Polygon | MultiPolygon, number: str = "A", **values) -> Permit:
    """Return a permit that says nothing but where it is, and what is given."""
    defaults = {
        "row": 1,
        "granted": None,
        "valid_until": None,
        "footprint_m2": None,
        "floor_area_m2": None,
        "storeys": None,
        "height_m": None,
        "temporary": False,
        "holder": "",
        "use": "",
    }
    return Permit(outline=outline, number=number, **(defaults | values))


def make_permits(*rows: Permit, bad_rows=()) -> Permits:
    """Return a layer of permits, rows counted anew."""
    return Permits(
        permits=rows,
        source="permits.gpkg",
        layer="permits",
        crs=CRS_114E,
        outline_crs=CRS_114E,
        encoding="utf-8",
        rows=len(rows) + sum(not row.kept for row in bad_rows),
        columns=(),
        assumptions=(),
        remarks=(),
        bad_rows=tuple(bad_rows),
    )


@st.composite
def rectangles(draw, reach=40) -> Polygon:
    """Draw a turned rectangle of 2 to 25 m a side, on a grid of 0.25 m."""
    x, y = (draw(st.integers(-reach * 4, reach * 4)) / 4 for _ in range(2))
    width, depth = (draw(st.integers(8, 100)) / 4 for _ in range(2))
    shape = box(x, y, x + width, y + depth)
    turned = affinity.rotate(shape, draw(st.integers(0, 89)), origin="center")
    return affinity.translate(turned, *ORIGIN)


@st.composite
def changes(draw) -> Change:
    """Draw a change of any kind."""
    kinds = ["building", "shed", "annex", "roof_addition", "storey", "site", "removed"]
    return make_change(
        draw(rectangles()),
        draw(st.sampled_from(kinds)),
        tolerance_m=draw(st.sampled_from([0.0, 0.3, 1.0])),
        origin=draw(st.sampled_from(["new", "stock"])),
    )


@st.composite
def permits(draw, most=4) -> tuple[Permit, ...]:
    """Draw up to ``most`` permits, some with dates, some under one number."""
    days = st.none() | st.dates(date(2023, 1, 1), date(2025, 12, 31))
    return tuple(
        make_permit(
            draw(rectangles()),
            draw(st.sampled_from(["A", "B", "C"])),
            row=row + 1,
            granted=draw(days),
            valid_until=draw(days),
        )
        for row in range(draw(st.integers(0, most)))
    )
