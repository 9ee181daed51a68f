"""The dirt that layers of permits carry, kind by kind, as shares of rows and amounts in metres."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

import numpy as np

__all__ = [
    "CellDirt",
    "ColumnNames",
    "Coordinates",
    "Dirt",
    "FileDirt",
    "OutlineDirt",
    "PlaceDirt",
    "RowDirt",
    "Severity",
    "draw_dirt",
]

Severity: TypeAlias = Literal["mild", "usual", "bad"]
"""How carefully a layer was kept."""

ColumnNames: TypeAlias = Literal["english", "chinese", "long"]
"""What columns are called; ``long`` is Chinese that no shapefile has room for."""

Coordinates: TypeAlias = Literal[
    "stated",
    "esri",
    "unstated",
    "prefixed",
    "prefixed_as_plain",
    "prefixed_unstated",
    "degrees",
    "degrees_unstated",
    "wrong_zone",
]
"""What coordinates are in and what the file says they are in.

``stated``: the area's CRS, by its code. ``esri``: the same, as ESRI spells it. ``unstated``: the
same, without a word. ``prefixed``: with the zone number before the easting, and stated so;
``prefixed_as_plain``: stated without the zone number; ``prefixed_unstated``: not stated.
``degrees``: EPSG:4490; ``degrees_unstated``: not stated. ``wrong_zone``: the area's CRS, stated as
the zone next to it.
"""


def _check_shares(record: Any, names: Iterable[str]) -> None:
    for name in names:
        share = getattr(record, name)
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is a share, 0 to 1, not {share}")


def _check_amounts(record: Any) -> None:
    for item in fields(record):
        amount = getattr(record, item.name)
        if not math.isfinite(amount) or (
            amount < 0 and item.name.endswith(("row_m", "rounding_m"))
        ):
            raise ValueError(f"{item.name} cannot be {amount}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDirt:
    """How the whole layer lies beside the truth."""

    east_m: float = 0.0
    """How far everything is drawn too far east, m."""
    north_m: float = 0.0
    """How far everything is drawn too far north, m."""
    turn_deg: float = 0.0
    """Rotation about the middle of the layer, degrees clockwise."""
    stretch_ppm: float = 0.0
    """Enlargement about the middle of the layer, parts per million."""
    row_m: float = 0.0
    """Standard deviation of what each permit is off by itself, east and north, m."""
    rounding_m: float = 0.0
    """Step to which all coordinates are rounded, m; 0 for none."""

    def __post_init__(self) -> None:
        _check_amounts(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineDirt:
    """Shares of rows, 0 to 1, whose outline is damaged; a row has one damage at most."""

    bow_tie: float = 0.0
    """Two neighbouring corners swapped: up to half of the area is gone for good."""
    knot: float = 0.0
    """A ring that crosses itself at one corner, in a loop of decimetres."""
    spike: float = 0.0
    """A vertex far outside, there and back on one line."""
    doubled_vertices: float = 0.0
    """Vertices that come twice."""
    reversed_ring: float = 0.0
    """Rings that run the wrong way round for their format."""
    outside_hole: float = 0.0
    """A hole outside its shell."""
    sliver: float = 0.0
    """A second part, centimetres wide."""
    unclosed: float = 0.0
    """A ring without its last vertex."""
    collapsed: float = 0.0
    """A ring folded to a line."""
    empty: float = 0.0
    """A polygon without vertices."""
    null: float = 0.0
    """No geometry."""
    coarse: float = 0.0
    """Vertices on a grid of ``coarse_m``."""
    plot: float = 0.0
    """The plot of land in place of the building."""
    coarse_m: float = 1.0
    """Spacing of that grid, m."""

    def __post_init__(self) -> None:
        _check_shares(self, self.shares())
        if sum(self.shares().values()) > 1.0 + 1e-9:
            raise ValueError(f"damages to more rows than there are: {sum(self.shares().values())}")
        if not 0.0 < self.coarse_m < math.inf:
            raise ValueError(f"coarse_m is a length, not {self.coarse_m}")

    def shares(self) -> Mapping[str, float]:
        """Give each damage with its share."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "coarse_m"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDirt:
    """Shares of permits, 0 to 1, whose row is lost, doubled or thrown together with another."""

    missing: float = 0.0
    """No row."""
    same_number: float = 0.0
    """A second row with the same number and outline."""
    second_number: float = 0.0
    """A second row with the same outline under another number."""
    older_version: float = 0.0
    """A second row with what was granted years before: smaller and lower."""
    shared_outline: float = 0.0
    """One outline around two neighbours, under the number of one."""
    joined: float = 0.0
    """Two neighbours as two parts of one multipolygon, under the number of one."""
    shuffled: bool = False
    """True where the rows are in no order."""

    def __post_init__(self) -> None:
        shares = [item.name for item in fields(self) if item.name != "shuffled"]
        _check_shares(self, shares)
        total = sum(getattr(self, name) for name in shares)
        if total > 1.0 + 1e-9:
            raise ValueError(f"something happens to more permits than there are: {total}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDirt:
    """Shares of cells of the columns concerned, 0 to 1, that are not as they should be."""

    missing_numbers: float = 0.0
    """Permits without a number."""
    full_width: float = 0.0
    """Numbers in full-width letters and digits."""
    trailing_blanks: float = 0.0
    """Texts with blanks behind them."""
    mixed_dates: float = 0.0
    """Dates as text in another form than ISO 8601."""
    missing_dates: float = 0.0
    """Dates left empty."""
    zero_dates: float = 0.0
    """Dates that say 1900-01-00, as spreadsheets show an empty one."""
    reversed_dates: float = 0.0
    """Permits that end before they begin."""
    storeys_as_text: float = 0.0
    """Storeys with their unit, in digits or in Chinese."""
    areas_in_mu: float = 0.0
    """Areas in mu (666.67 m2)."""
    areas_with_commas: float = 0.0
    """Areas with separators and decimals, as text."""
    names: ColumnNames = "english"
    """What the columns are called."""
    chinese_values: bool = False
    """True where holder and use are Chinese."""

    def __post_init__(self) -> None:
        shares = [f.name for f in fields(self) if f.name not in ("names", "chinese_values")]
        _check_shares(self, shares)
        for group in (
            ("mixed_dates", "missing_dates", "zero_dates", "reversed_dates"),
            ("areas_in_mu", "areas_with_commas"),
            ("missing_numbers", "full_width"),
        ):
            total = sum(getattr(self, name) for name in group)
            if total > 1.0 + 1e-9:
                raise ValueError(f"more cells than there are: {', '.join(group)} make {total}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDirt:
    """What is unusual about the file; what a format cannot show is left out of it."""

    coordinates: Coordinates = "stated"
    """What coordinates are in, and what is said of them."""
    text: Literal["utf-8", "gbk"] = "utf-8"
    """Encoding of a shapefile's table; the other formats are UTF-8."""
    cpg: Literal["right", "absent", "wrong"] = "right"
    """Whether a shapefile names its encoding in a .cpg, and rightly."""
    language_byte: int = 0x00
    """Language driver byte of a shapefile's table: 0x00 says nothing, 0x4D is code page 936."""
    heights: float = 0.0
    """Share of rows with 3-D coordinates, 0 to 1; all of a shapefile, if any."""
    multi: float = 0.0
    """Share of simple outlines written as multipolygons of one part, 0 to 1."""

    def __post_init__(self) -> None:
        _check_shares(self, ["heights", "multi"])
        if not 0 <= self.language_byte <= 0xFF:
            raise ValueError(f"language_byte is one byte, not {self.language_byte}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """All that is wrong with a layer of permits; by default nothing is."""

    place: PlaceDirt = field(default_factory=PlaceDirt)
    """Where the layer lies."""
    outlines: OutlineDirt = field(default_factory=OutlineDirt)
    """Damaged outlines."""
    rows: RowDirt = field(default_factory=RowDirt)
    """Missing and doubled rows."""
    cells: CellDirt = field(default_factory=CellDirt)
    """Attributes."""
    file: FileDirt = field(default_factory=FileDirt)
    """CRS, encoding, dimensions."""


# How common each flaw is in real layers was not measured: no survey of Chinese permit layers is
# public. The sizes are an assumption, so that `usual` has about one outline in ten damaged and one
# permit in thirty missing, and `bad` three times that; `mild` is what a conversion leaves behind.
_LEVEL: Mapping[str, float] = {"mild": 0.2, "usual": 1.0, "bad": 3.0}
_OFFSET_M: Mapping[str, float] = {"mild": 0.3, "usual": 1.5, "bad": 4.0}
_COORDINATES: Mapping[str, tuple[Coordinates, ...]] = {
    "mild": ("stated", "esri"),
    "usual": ("stated", "esri", "unstated", "prefixed", "degrees"),
    "bad": (
        "unstated",
        "prefixed",
        "prefixed_as_plain",
        "prefixed_unstated",
        "degrees",
        "degrees_unstated",
        "wrong_zone",
    ),
}


def draw_dirt(rng: np.random.Generator, severity: Severity) -> Dirt:
    """Draw a mixture of dirt as layers of that care have it.

    Parameters
    ----------
    rng
        Source of chance.
    severity
        How carefully the layer was kept.

    Returns
    -------
    Dirt
        Each share between half and one and a half times what is usual for the severity.

    Examples
    --------
    >>> draw_dirt(np.random.default_rng(1), "mild").file.text
    'utf-8'
    """
    level = _LEVEL[severity]

    def share(usual: float) -> float:
        return round(usual * level * float(rng.uniform(0.5, 1.5)), 4)

    return Dirt(
        place=_draw_place(rng, severity),
        outlines=OutlineDirt(
            **{
                name: share(0.015 if name in ("plot", "coarse", "doubled_vertices") else 0.007)
                for name in OutlineDirt().shares()
            },
            coarse_m=round(float(rng.uniform(0.5, 1.0) * min(level, 2.0)), 2),
        ),
        rows=RowDirt(
            missing=share(0.03),
            same_number=share(0.02),
            second_number=share(0.01),
            older_version=share(0.02),
            shared_outline=share(0.015),
            joined=share(0.01),
            shuffled=severity != "mild",
        ),
        cells=_draw_cells(rng, severity),
        file=_draw_file(rng, severity),
    )


def _draw_place(rng: np.random.Generator, severity: Severity) -> PlaceDirt:
    level, reach = _LEVEL[severity], _OFFSET_M[severity]
    east, north, turn, stretch = rng.uniform(-1.0, 1.0, 4).tolist()
    return PlaceDirt(
        east_m=round(reach * east, 2),
        north_m=round(reach * north, 2),
        turn_deg=round(0.02 * level * turn, 4),
        stretch_ppm=round(100.0 * level * stretch, 1),
        row_m=round(0.1 * level * float(rng.uniform(0.5, 1.5)), 2),
        rounding_m={"mild": 0.001, "usual": 0.01, "bad": 0.1}[severity],
    )


def _draw_cells(rng: np.random.Generator, severity: Severity) -> CellDirt:
    level = _LEVEL[severity]

    def share(usual: float) -> float:
        return round(min(0.3, usual * level * float(rng.uniform(0.5, 1.5))), 4)

    names: tuple[ColumnNames, ...] = ("english", "chinese", "long")
    return CellDirt(
        missing_numbers=share(0.03),
        full_width=share(0.02),
        trailing_blanks=share(0.05),
        mixed_dates=share(0.1),
        missing_dates=share(0.03),
        zero_dates=share(0.01),
        reversed_dates=share(0.01),
        storeys_as_text=share(0.1),
        areas_in_mu=share(0.02),
        areas_with_commas=share(0.05),
        names=names[int(rng.integers(2 if severity == "mild" else 3))],
        chinese_values=bool(rng.random() < 0.7),
    )


def _draw_file(rng: np.random.Generator, severity: Severity) -> FileDirt:
    level = _LEVEL[severity]
    choices = _COORDINATES[severity]
    if severity == "mild":
        return FileDirt(coordinates=choices[int(rng.integers(len(choices)))])
    cpgs: tuple[Literal["right", "absent", "wrong"], ...] = ("right", "absent", "wrong")
    chinese = bool(rng.random() < 0.7)
    return FileDirt(
        coordinates=choices[int(rng.integers(len(choices)))],
        text="gbk" if chinese else "utf-8",
        # Programs that write UTF-8 say so: what gets lost is the .cpg.
        cpg=cpgs[int(rng.integers(3 if chinese and severity == "bad" else 2))],
        language_byte=0x4D if chinese and rng.random() < 0.3 else 0x00,
        heights=round(0.1 * level * float(rng.random()), 4),
        multi=round(0.2 * level * float(rng.random()), 4),
    )
