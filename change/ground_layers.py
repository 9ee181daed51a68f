"""The layers a job holds flights against: permits, protected ground, districts, the area itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from change.dispatch import DistrictFiles, Districts, open_districts
from change.layers import (
    Area,
    BadRow,
    LayerRead,
    is_database,
    read_layer,
    shown_database,
    states_crs,
)
from change.permits import Permits, open_permits
from change.protected import ProtectedGround, open_protected
from survey.errors import LayerError
from survey.grid import WorkingGrid
from survey.runs import Input
from survey.settings import Settings
from survey.words import _

__all__ = ["GroundLayers", "LayerOptions", "open_layers", "open_permit_layer", "read_inputs"]

_Named = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOptions:
    """What the command line says about layers; each is a file or ``FILE|layername=NAME``."""

    permits: str | None = None
    """Permitted buildings."""
    points: Path | None = None
    """Control points that carry the permits' coordinates to the ground."""
    within: str | None = None
    """The area to report on."""
    protected: tuple[_Named, ...] = ()
    """Layers of protected ground, each as (name, layer)."""
    townships: str | None = None
    """Townships and streets."""
    communities: str | None = None
    """Communities and villages."""
    cells: str | None = None
    """The unit grid."""
    crs: CRS | None = None
    """CRS of the layers' coordinates, whatever they say of themselves."""
    assumed_crs: CRS | None = None
    """CRS of layers that state none."""
    encoding: str | None = None
    """Encoding of the layers' text."""
    strict: bool = False
    """Refuse layers with flawed rows."""

    def named(self) -> list[_Named]:
        """Return the layers that were given, each with its role."""
        single = [
            ("permits", self.permits),
            ("control_points", None if self.points is None else str(self.points)),
            ("within", self.within),
            ("townships", self.townships),
            ("communities", self.communities),
            ("cells", self.cells),
        ]
        given = [(role, layer) for role, layer in single if layer is not None]
        return [*given, *((f"protected:{name}", layer) for name, layer in self.protected)]

    def files(self) -> list[tuple[str, Path]]:
        """Return the files the layers stand in, each with its role; a database has none."""
        return [
            (role, Path(layer.partition("|")[0]).expanduser())
            for role, layer in self.named()
            if not is_database(layer)
        ]

    def told(self) -> dict[str, str | None]:
        """Return what changes a result beside the files themselves."""
        return {
            "layers_crs": self.crs.to_string() if self.crs else None,
            "encoding": self.encoding,
        } | {f"{role}_layer": layer.partition("|")[2] or None for role, layer in self.named()}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundLayers:
    """The layers of a job, opened, in the CRS of its grid."""

    permits: Permits | None
    """Permitted buildings, where they are drawn."""
    within: LayerRead | None
    """The area to report on."""
    protected: tuple[ProtectedGround, ...]
    """Protected ground."""
    districts: Districts
    """Townships, communities and cells; drawn cells alone where no layer was given."""

    def area(self, grid: WorkingGrid) -> BaseGeometry | None:
        """Return the area to report on.

        Raises
        ------
        LayerError
            Both flights cover nothing of it.
        """
        if self.within is None:
            return None
        area: BaseGeometry = self.within.frame.union_all()
        bounds = grid.bounds
        ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
        if not area.intersects(ground):
            raise LayerError(
                _("{path}: lies outside the ground that both flights cover").format(
                    path=self.within.source
                )
            )
        return area

    def said(self) -> list[tuple[Sequence[str], Sequence[BadRow]]]:
        """Return what was assumed of each layer, and what was wrong with its rows."""
        given = [layer for layer in (self.permits, self.within) if layer is not None]
        layers = [*given, *self.protected, self.districts]
        return [(layer.assumptions, layer.bad_rows) for layer in layers]


def read_inputs(permits: Permits | None, within: LayerRead | None) -> tuple[Input, ...]:
    """Return what came out of databases, by its content: no file of it can be hashed."""
    return tuple(
        Input(role=role, name=layer.layer, size=0, sha256=layer.digest)
        for role, layer in (("permits", permits), ("within", within))
        if layer is not None and layer.digest is not None
    )


def open_layers(options: LayerOptions, grid: WorkingGrid, settings: Settings) -> GroundLayers:
    """Open the layers of a job.

    Raises
    ------
    LayerError
        One cannot be read or placed, lies elsewhere, or has flawed rows and ``strict`` was asked
        for.
    """
    _refuse_databases(options)
    opened = GroundLayers(
        permits=open_permit_layer(options, grid, settings),
        within=_within(options, grid),
        protected=tuple(
            open_protected(
                name,
                layer,
                area=grid,
                crs=_crs_of(options, layer),
                encoding=options.encoding,
                settings=settings.severity,
            )
            for name, layer in options.protected
        ),
        districts=_districts(options, grid, settings),
    )
    if options.strict:
        _refuse_flawed(opened, options)
    return opened


def _refuse_databases(options: LayerOptions) -> None:
    """Refuse databases for layers whose content no run could be told apart by."""
    for role, layer in options.named():
        if role not in ("permits", "within") and is_database(layer):
            raise LayerError(
                _(
                    "{layer}: only permits and the area are read from databases; save it as a file"
                ).format(layer=shown_database(layer))
            )


def open_permit_layer(
    options: LayerOptions, area: Area | None, settings: Settings
) -> Permits | None:
    """Open the permits; None where none were given.

    Raises
    ------
    LayerError
        The layer cannot be read or placed, or lies elsewhere.
    """
    if options.permits is None:
        return None
    return open_permits(
        options.permits,
        area=area,
        crs=_crs_of(options, options.permits),
        encoding=options.encoding,
        columns=dict(settings.permits.columns),
        points=options.points,
    )


def _within(options: LayerOptions, grid: WorkingGrid) -> LayerRead | None:
    if options.within is None:
        return None
    crs = _crs_of(options, options.within)
    return read_layer(options.within, area=grid, crs=crs, encoding=options.encoding)


def _districts(options: LayerOptions, grid: WorkingGrid, settings: Settings) -> Districts:
    given = [options.townships, options.communities, options.cells]
    stated = next((layer for layer in given if layer), None)
    return open_districts(
        DistrictFiles(
            townships=options.townships, communities=options.communities, cells=options.cells
        ),
        area=grid,
        crs=None if stated is None else _crs_of(options, stated),
        encoding=options.encoding,
        settings=settings.dispatch,
    )


def _crs_of(options: LayerOptions, layer: str) -> CRS | None:
    """Return what the user says of a layer's CRS; None to believe the layer."""
    if options.crs is not None or options.assumed_crs is None:
        return options.crs
    return None if states_crs(layer) else options.assumed_crs


def _refuse_flawed(layers: GroundLayers, options: LayerOptions) -> None:
    opened = [layer for layer in (layers.permits, layers.within) if layer is not None]
    flawed = [(layer.source, layer.bad_rows) for layer in (*opened, *layers.protected)]
    districts = [options.townships, options.communities, options.cells]
    flawed.append((", ".join(filter(None, districts)), layers.districts.bad_rows))
    for source, rows in flawed:
        if rows:
            raise LayerError(
                _(
                    "{path}: {count} flawed rows, the first is row {row}: {detail} (--strict)"
                ).format(path=source, count=len(rows), row=rows[0].row, detail=rows[0].detail)
            )
