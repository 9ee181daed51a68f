"""Dispatch: which township, community and cell a suspect lies in, and which team goes there."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from change.districts.claims import Claims, Share, claim
from change.districts.layer import LEVELS, DistrictLayer, derived, open_layer
from change.districts.numbering import CellNumbering
from change.districts.squares import CellScheme, open_scheme
from change.layers import Area, BadRow
from survey.errors import SettingsError
from survey.grid import Bounds
from survey.settings import DispatchSettings
from survey.words import _, ngettext

__all__ = ["DistrictFiles", "Districts", "Place", "open_districts"]

# Codes of a unit grid: 6 digits of the district, 3 of the street, 3 of the community, 3 serial.
_TOWNSHIP_DIGITS, _COMMUNITY_DIGITS, _CELL_DIGITS = 9, 12, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictFiles:
    """The layers of districts as the user gave them."""

    townships: str | Path | None = None
    """Townships and streets."""
    communities: str | Path | None = None
    """Communities and villages."""
    cells: str | Path | None = None
    """The unit grid; where there is none, cells are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a suspect lies, and who goes there; whatever is not known is empty."""

    township_code: str
    """Code of the township with the largest share of it."""
    township: str
    """Name of that township."""
    community_code: str
    """Code of the community that has the largest share of what lies in that township."""
    community: str
    """Name of that community."""
    cell: str
    """Code of the cell; its name, where the layer has no codes."""
    team: str
    """The team of the community, else that of the township."""
    shares: tuple[Share, ...]
    """The districts above and all others with 5 % of the outline or more: townships, communities,
    cells; of each the own one first, then from the large share to the small."""

    @property
    def others(self) -> tuple[str, ...]:
        """The other districts that share it, by name where they have one, else by code."""
        return tuple(item.name or item.code for item in self.shares if not item.own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Districts:
    """The districts of an area, and the teams that go there; made by `open_districts`."""

    townships: DistrictLayer | None
    """Townships; None where nobody can say."""
    communities: DistrictLayer | None
    """Communities; None where nobody can say."""
    units: DistrictLayer | None
    """The cells of a unit grid; None where cells are drawn."""
    numbering: CellNumbering
    """The cells that are drawn where there is no unit grid."""
    teams: Mapping[str, str]
    """Code or name of a township or community, as `_plain` writes it, to its team."""
    crs: CRS
    """The area's CRS, in which all of this lies."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""
    bad_rows: tuple[BadRow, ...]
    """What was wrong with the layers, by row."""

    def place(self, outlines: Sequence[BaseGeometry]) -> tuple[Place, ...]:
        """Return where outlines lie, one place for each.

        Of several townships the one with the largest share has it, then the community with the
        largest share of what lies in that township, then the cell of what lies in that community;
        equal shares go to the smaller code.

        Parameters
        ----------
        outlines
            Valid polygons in metres of the area's CRS.
        """
        shapes = np.array([*outlines, None], dtype=object)[:-1]
        claims = {"": Claims.unclaimed(shapes)}
        focus = shapes
        for layer in (self.townships, self.communities, self.units):
            if layer is not None:
                claims[layer.level] = claim(layer, shapes, focus)
                focus = claims[layer.level].part
        told = [claims.get(level, claims[""]).shares for level in LEVELS]
        if self.units is None:
            told[-1] = self.numbering.shares(shapes, claims[self.numbering.scheme.level])
        return tuple(self._place(levels) for levels in zip(*told, strict=True))

    def cells(self, bounds: Bounds) -> gpd.GeoDataFrame:
        """Return the cells that touch a rectangle.

        Parameters
        ----------
        bounds
            In metres of the area's CRS.

        Returns
        -------
        GeoDataFrame
            In the area's CRS, by code: ``code``, ``township`` (name, else code, of the township
            with the largest share; empty without one) and the outline. Where codes belong to
            townships or communities, each has its own part of a cell on their border.
        """
        found = self.numbering.cells(bounds) if self.units is None else _units(self.units, bounds)
        rows = sorted(found, key=lambda row: row[0])
        shapes = np.array([*(shape for _code, shape in rows), None], dtype=object)[:-1]
        names = [""] * len(rows)
        if self.townships is not None:
            homes = claim(self.townships, shapes, shapes).home.tolist()
            names = [self.townships.districts[i].shown if i >= 0 else "" for i in homes]
        return gpd.GeoDataFrame(
            {"code": [code for code, _shape in rows], "township": names},
            geometry=shapes,
            crs=self.crs,
        )

    def remarks(self, places: Iterable[Place]) -> tuple[str, ...]:
        """Return what has to be said of where suspects lie: how many in no district."""
        found = list(places)
        said = []
        for layer in (self.townships, self.communities, self.units):
            if layer is not None:
                named = sum(any(s.own and s.level == layer.level for s in p.shares) for p in found)
                if named < len(found):
                    said.append(_outside(layer, len(found) - named))
        return tuple(said)

    def _place(self, levels: Sequence[Sequence[Share]]) -> Place:
        """Return the place told by the shares of townships, communities and cells."""
        nowhere = Share(level="", code="", name="", share=0.0, own=False)
        township, community, cell = (
            next((share for share in shares if share.own), nowhere) for shares in levels
        )
        known = (community.code, community.name, township.code, township.name)
        teams = (self.teams.get(_plain(item)) for item in known if item)
        return Place(
            township_code=township.code,
            township=township.name,
            community_code=community.code,
            community=community.name,
            cell=cell.code or cell.name,
            team=next((team for team in teams if team is not None), ""),
            shares=tuple(share for shares in levels for share in shares),
        )


def _units(layer: DistrictLayer, bounds: Bounds) -> Iterator[tuple[str, BaseGeometry]]:
    """Yield code and outline of the cells of a layer that touch a rectangle."""
    around = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    for unit in np.unique(layer.owner[layer.tree.query(around, "intersects")]).tolist():
        yield layer.districts[unit].key, shapely.union_all(layer.parts_of(unit))


def open_districts(
    files: DistrictFiles,
    *,
    area: Area,
    crs: CRS | None = None,
    encoding: str | None = None,
    settings: DispatchSettings,
) -> Districts:
    """Read the layers of districts.

    Codes of 15 digits in the layer of cells, or of 12 in that of communities, begin with those of
    the community and the township; they stand in where there is no layer of these.

    Parameters
    ----------
    files
        The layers; any of them may be missing.
    area
        Where the work takes place; everything comes out in its CRS.
    crs
        CRS of the layers' coordinates, whatever the files say.
    encoding
        Encoding of their text, whatever the files say.
    settings
        Cells, codes and teams.

    Raises
    ------
    LayerError
        A layer cannot be read or placed, lies elsewhere, or names no district.
    SettingsError
        Cells cannot be numbered as ``settings.cell_code`` says.
    """
    scheme = open_scheme(settings)
    paths = (files.townships, files.communities, files.cells)
    layers = {
        level: open_layer(level, path, area=area, crs=crs, encoding=encoding)
        for level, path in zip(LEVELS, paths, strict=True)
        if path is not None
    }
    said = [sentence for layer in layers.values() for sentence in layer.assumptions]
    flaws = tuple(flaw for layer in layers.values() for flaw in layer.bad_rows)
    said.extend(_add_derived(layers))
    if "cell" not in layers:
        _require_numbering(scheme, layers)
    teams = {_plain(name): str(team) for name, team in settings.teams}
    said.extend(_idle(teams, layers))
    return Districts(
        townships=layers.get("township"),
        communities=layers.get("community"),
        units=layers.get("cell"),
        numbering=CellNumbering(
            scheme=scheme,
            townships=layers.get("township"),
            communities=layers.get("community"),
        ),
        teams=teams,
        crs=area.crs,
        assumptions=tuple(said),
        bad_rows=flaws,
    )


def _add_derived(layers: dict[str, DistrictLayer]) -> Iterator[str]:
    """Add the levels that no layer was given for and that codes tell; yield what was assumed."""
    for level, digits, sentence in (
        ("community", _COMMUNITY_DIGITS, _("{path}: communities are the first 12 digits of codes")),
        ("township", _TOWNSHIP_DIGITS, _("{path}: townships are the first 9 digits of codes")),
    ):
        sources = (("community", _COMMUNITY_DIGITS), ("cell", _CELL_DIGITS))
        for source, whole in sources:
            if level not in layers and source in layers and whole > digits:
                found = derived(layers[source], level, digits, whole)
                if found is not None:
                    layers[level] = found
                    yield sentence.format(path=found.source)


def _require_numbering(scheme: CellScheme, layers: Mapping[str, DistrictLayer]) -> None:
    for level, sentence in (
        ("township", _("dispatch.cell_code holds the township, but no layer tells townships")),
        ("community", _("dispatch.cell_code holds the community, but no layer tells communities")),
    ):
        if level in scheme.fields and level not in layers:
            raise SettingsError(sentence)


def _plain(text: str) -> str:
    """Return a code or name as it is looked up: a code that lost its zeros is the same one."""
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.lstrip("0") if plain.isascii() and plain.isdigit() else plain


def _idle(teams: Mapping[str, str], layers: Mapping[str, DistrictLayer]) -> Iterator[str]:
    """Yield a sentence where teams are set and none of them has a district here."""
    here = {
        _plain(word)
        for level in LEVELS[:2]
        if level in layers
        for item in layers[level].districts
        for word in (item.code, item.name)
    }
    if teams and not here & set(teams):
        yield _("no township or community of the layers has a team in dispatch.teams")


def _outside(layer: DistrictLayer, count: int) -> str:
    sentences = {
        "township": ngettext(
            "{count} suspect lies in no township of {path}",
            "{count} suspects lie in no township of {path}",
            count,
        ),
        "community": ngettext(
            "{count} suspect lies in no community of {path}",
            "{count} suspects lie in no community of {path}",
            count,
        ),
        "cell": ngettext(
            "{count} suspect lies in no cell of {path}",
            "{count} suspects lie in no cell of {path}",
            count,
        ),
    }
    return sentences[layer.level].format(count=count, path=layer.source)
