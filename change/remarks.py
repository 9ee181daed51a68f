"""What a run assumed and came across, in sentences: said once, and kept in its record."""

from collections.abc import Iterator, Sequence

import shapely

from change.detection import Detection
from change.ground_layers import GroundLayers
from change.layers import BadRow
from change.outside_evidence import OutsideEvidence
from change.permit_offset import LayerOffset
from change.permits import Permits
from survey.grid import WorkingGrid
from survey.pair import Pair
from survey.words import _, ngettext

__all__ = ["detection_remarks", "evidence_remarks", "layer_remarks", "remarks"]

# The densest villages leave a quarter of the ground open; plots and townships leave none.
_MOSTLY_COVERED = 0.75
# From this share on, that roofs are drawn elsewhere is the first thing to know about a list.
_MANY_DISPLACED = 0.15


def remarks(pair: Pair, layers: GroundLayers, offset: LayerOffset | None) -> tuple[str, ...]:
    """Return what was assumed and found of a pair and its layers, each sentence once."""
    said = [*pair.before.assumptions, *pair.after.assumptions, *_colour_remarks(pair)]
    said.extend([*layer_remarks(layers, offset, pair.grid), *_height_remarks(pair)])
    return tuple(dict.fromkeys(said))


def detection_remarks(detection: Detection) -> Iterator[str]:
    """Yield what was found of the pictures while they were compared."""
    share = detection.share_displaced or 0.0
    if share >= _MANY_DISPLACED:
        yield _(
            "the flights see high buildings from different sides: of what seems to have changed"
            " {share:.0%} are taken for roofs that are drawn elsewhere; more may be, and true"
            " orthophotos or surface models would tell"
        ).format(share=share)


def evidence_remarks(evidence: OutsideEvidence | None) -> Iterator[str]:
    """Yield in whose place evidence made elsewhere spoke, and of how much ground."""
    if evidence is None:
        return
    for share in sorted({share for _name, share in evidence.shares}, reverse=True):
        names = [name for name, told in evidence.shares if told == share]
        yield _(
            "the evidence {name} takes the place of the detector on {share:.1%} of the ground"
            " ({maps}): what is told of the pictures there is what it says"
        ).format(name=evidence.path.name, share=share, maps=", ".join(names))


def layer_remarks(
    layers: GroundLayers, offset: LayerOffset | None, grid: WorkingGrid
) -> Iterator[str]:
    """Yield what was assumed and found of the layers of a job."""
    permits = layers.permits
    if permits is None:
        yield _("no permit layer was given: every change is listed as not compared")
    for assumptions, bad_rows in layers.said():
        yield from (*assumptions, *_flawed(bad_rows))
    if permits is not None:
        yield from _permit_remarks(permits, offset, grid)


def _permit_remarks(
    permits: Permits, offset: LayerOffset | None, grid: WorkingGrid
) -> Iterator[str]:
    if permits.unplaced:
        yield _("{count} permit rows have no place at all: any suspect may be one of them").format(
            count=permits.unplaced
        )
    share = _covered_share(permits, grid)
    if share > _MOSTLY_COVERED:
        yield _(
            "the permits cover {share:.0%} of the ground; are these the outlines of buildings?"
        ).format(share=share)
    if offset is not None and offset.found:
        # What rounds to nothing is told as nothing, not as less than it.
        east, north = (round(-metres, 1) + 0.0 for metres in (offset.east_m, offset.north_m))
        yield _(
            "the permits lie {east:+.1f} m east, {north:+.1f} m north of the roofs, known to"
            " {error:.1f} m; moved back"
        ).format(east=east, north=north, error=offset.error_m)
    elif offset is not None:
        yield _(
            "where the permits lie against the roofs cannot be told: {why}; taken as drawn, to"
            " within {error:.1f} m"
        ).format(why=offset.why, error=offset.error_m)


def _colour_remarks(pair: Pair) -> Iterator[str]:
    if not any(pair.coloured):
        yield _(
            "neither flight shows colours: trees are hardly told from roofs, and what differs from"
            " the ground by its colour alone is not found"
        )
    elif not all(pair.coloured):
        grey = pair.after if pair.coloured[0] else pair.before
        yield _(
            "{name} shows no colours, the other flight does: they are compared by light and dark,"
            " and fewer changes are found"
        ).format(name=grey.name)


def _height_remarks(pair: Pair) -> Iterator[str]:
    surfaces = [dsm for dsm in (pair.before.dsm, pair.after.dsm) if dsm is not None]
    for dsm in surfaces:
        yield from dsm.assumptions
    if len(surfaces) == 1:
        yield _("only one flight has a surface model: it tells what stands high, not what grew")
    if pair.surfaces is not None:
        yield from pair.surfaces.remarks()
    for placed in pair.lone:
        if placed is not None and pair.surfaces is None:
            yield from placed.remarks()
    if pair.datum is None:
        yield _("no heights to judge by: structures are told by colour and shape, much less surely")


def _covered_share(permits: Permits, grid: WorkingGrid) -> float:
    """Return the share of the grid that permits cover."""
    bounds = grid.bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    drawn = shapely.union_all([permit.outline for permit in permits.near(ground, 0.0)])
    return float(drawn.intersection(ground).area / ground.area)


def _flawed(rows: Sequence[BadRow]) -> list[str]:
    if not rows:
        return []
    count, dropped = len({row.row for row in rows}), len({row.row for row in rows if not row.kept})
    return [
        ngettext(
            "{count} flawed row in the layer: {kept} repaired or kept, {dropped} not usable",
            "{count} flawed rows in the layer: {kept} repaired or kept, {dropped} not usable",
            count,
        ).format(count=count, kept=count - dropped, dropped=dropped)
    ]
