"""Roads, lanes, tracks and canals, with what lies along them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Canvas, cover_edge
from survey.simulation.painting.grain import crack, litter, mix, overlay, swell, tone, tufts, wear
from survey.simulation.painting.look import Look, dress
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.natural import bare_soil, dampen
from survey.simulation.painting.paving import asphalt_albedo, slabs
from survey.simulation.painting.strips import strips
from survey.simulation.painting.texture import hash_line, mix_seed, smooth_step
from survey.simulation.painting.water import DEPTH_M, water_albedo
from survey.simulation.scene import Place, Road

__all__ = ["paint_road", "paint_verge"]

Singles = npt.NDArray[np.float32]

_VERGE_M = 1.6  # mean width of dust or bank beside a road
_WANDER_M = 2.0  # at most, of the rim of dust and of banks
_REACH_M = _VERGE_M + 0.3 + _WANDER_M
_FRAY_M = 0.8  # the same of the edge of a track
_EDGE_M = _FRAY_M + 0.4
_DASH_M = 6.0  # lane marking: 2 m of line every 6 m, as on village roads
_LINE_M = 2.0
_MARKED_M = 5.5  # narrower roads have no line
_COPING_M = 0.35
_RUT_M = 0.8  # half the track of a small lorry
_BRIDGED = 0.95  # of a pixel under water: there a road is a bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A window on one road at one moment."""

    box: Box
    """The window."""
    road: Road
    """The road."""
    moment: Moment
    """Season, weather and sun."""
    length_m: float
    """Length of the road, metres."""
    u: Singles
    """Metres along it from its middle, shape (rows, columns)."""
    v: Singles
    """Metres to the right of its centre line, same shape."""
    inside: Singles
    """Metres from its edge, negative outside, same shape; its ends are round."""

    @property
    def flank(self) -> Singles:
        """Metres from its sides, same shape; far from them beyond its ends, where it goes on."""
        beside = np.float32(self.road.width_m / 2) - np.abs(self.v)
        on = np.abs(self.u) <= np.float32(self.length_m / 2)
        return np.where(on, beside, np.float32(self.road.width_m))


def _frame(canvas: Canvas, road: Road, half_v_m: float) -> tuple[Box, float] | None:
    """Cut the window around a road; also give the road's length."""
    east, north = road.end.x - road.start.x, road.end.y - road.start.y
    length_m = math.hypot(east, north)
    bearing = math.degrees(math.atan2(east, north))
    middle = Place(x=road.start.x + east / 2, y=road.start.y + north / 2, bearing_deg=bearing)
    box = canvas.box(middle, length_m / 2 + half_v_m, half_v_m)
    return (box, length_m) if box else None


def _runs(canvas: Canvas, road: Road, moment: Moment, reach_m: float) -> list[_Run]:
    """Cut the window around a road, as far as `reach_m` beyond its edges, into strips."""
    half_v_m = road.width_m / 2 + reach_m
    found = _frame(canvas, road, half_v_m)
    if found is None:
        return []
    box, length_m = found
    runs = []
    for part in strips(box, length_m / 2 + half_v_m, half_v_m):
        u, v = part.frame()
        beyond = np.maximum(np.abs(u) - np.float32(length_m / 2), np.float32(0.0))
        inside = np.float32(road.width_m / 2) - np.sqrt(v * v + beyond * beyond)
        runs.append(
            _Run(box=part, road=road, moment=moment, length_m=length_m, u=u, v=v, inside=inside)
        )
    return runs


def paint_verge(canvas: Canvas, road: Road, moment: Moment) -> None:
    """Put dust along both sides of a road, or banks along a canal.

    Comes before the paving of any road, so that no verge lies on a crossing.

    Parameters
    ----------
    canvas
        What to paint on.
    road
        The road.
    moment
        Season, weather and sun.
    """
    for run in _runs(canvas, road, moment, _REACH_M):
        lattice, seed = run.box.lattice, road.seed
        ragged, fine = wear(lattice, mix_seed(seed, 31)), tufts(lattice, mix_seed(seed, 32))
        land = swell(lattice, mix_seed(seed, 33))
        albedo = bare_soil(lattice, seed, np.float32(0.5) * land, fine)
        if road.surface != "canal":
            overlay(albedo, tone("dust"), np.float32(0.5) * smooth_step(ragged, -1.5, 1.5))
        dampen(albedo, 0.8 * moment.wetness)
        reach = np.float32(0.55) * ragged + np.float32(0.45) * land
        reach += np.float32(0.2) * fine
        np.clip(reach, -_WANDER_M, _WANDER_M, out=reach)
        reach += run.inside
        wide_m = 0.45 if road.surface == "dirt" else _VERGE_M * min(1.0, road.width_m / 6.0)
        cover = smooth_step(reach, -wide_m - 0.3, -wide_m + 0.6)
        dress(run.box, np.float32(0.9) * cover, Look(albedo=albedo), moment.sun)


def _wheels(v: Singles, lanes_m: list[float]) -> Singles:
    """Give 1 where wheels roll along lanes with these middles."""
    worn = np.zeros_like(v)
    for middle in lanes_m:
        worn += crack(np.abs(v - np.float32(middle)) - np.float32(_RUT_M), 0.55)
    return worn


def _patched(run: _Run) -> Singles:
    """Give 1 where a stretch of one lane was dug up and closed again."""
    stretch = np.floor(run.u * np.float32(1.0 / 3.7)).astype(np.int64)
    lane = np.floor(run.v * np.float32(1.0 / 1.9)).astype(np.int64)
    number = stretch * 65_537 + lane
    seed = mix_seed(run.road.seed, 41)
    dug = hash_line(number, seed) > np.float32(0.93)
    return dug * (np.float32(0.4) + np.float32(0.6) * hash_line(number, mix_seed(seed, 1)))


def _asphalt(run: _Run) -> Look:
    """Give a worn road: polished by wheels, oily between them, dusty and broken at the edges."""
    lattice, seed, half_m = run.box.lattice, run.road.seed, run.road.width_m / 2
    albedo = asphalt_albedo(lattice, seed, run.moment)
    middles = [-half_m / 2, half_m / 2] if run.road.width_m > _MARKED_M else [0.0]
    ragged = wear(lattice, mix_seed(seed, 42))
    light = np.float32(0.06) * _wheels(run.v, middles)
    for middle in middles:
        light -= np.float32(0.05) * crack(run.v - np.float32(middle), 0.5)
    light += np.float32(0.98)
    albedo *= light
    tar = np.float32(0.4) * _patched(run) * smooth_step(run.inside, 0.2, 0.5)
    overlay(albedo, tone("tar"), tar)
    if run.road.width_m > _MARKED_M:
        faded = smooth_step(ragged + np.float32(0.3) * light, -1.2, 0.9)
        overlay(albedo, tone("marking"), np.float32(0.8) * _lines(run) * faded)
    dusty = smooth_step(run.flank + np.float32(0.2) * ragged, min(1.6, 0.7 * half_m), -0.1)
    overlay(albedo, tone("dust"), np.float32(0.8) * dusty)
    return Look(albedo=albedo)


def _lines(run: _Run) -> Singles:
    """Give the share of each pixel under lane markings."""
    pixel_m = run.box.lattice.pixel_m
    dash = np.abs(run.u - np.float32(_DASH_M) * np.floor(run.u / _DASH_M) - np.float32(_DASH_M / 2))
    middle = np.minimum(np.float32(0.06) - np.abs(run.v), np.float32(_LINE_M / 2) - dash)
    rim = np.float32(0.05) - np.abs(run.inside - np.float32(0.35))
    lines = np.maximum(cover_edge(middle, pixel_m), cover_edge(rim, pixel_m))
    lines *= np.abs(run.u) <= np.float32(run.length_m / 2)
    return lines


def _cement(run: _Run) -> Look:
    """Give a lane of cement poured in slabs, its edges broken."""
    lattice, seed = run.box.lattice, run.road.seed
    half_m = run.road.width_m / 2
    across_m = half_m if run.road.width_m > 3.5 else run.road.width_m
    shift = np.float32(0.0 if run.road.width_m > 3.5 else half_m)
    light = slabs(run.u, run.v + shift, (4.5, across_m), seed)
    dirt, land = wear(lattice, mix_seed(seed, 42)), swell(lattice, mix_seed(seed, 43))
    light *= np.float32(0.99) + np.float32(0.075) * dirt + np.float32(0.06) * land
    light += np.float32(0.06) * litter(lattice, mix_seed(seed, 44))
    light -= np.float32(0.18) * crack(wear(lattice, mix_seed(seed, 45)), 0.035)
    albedo = tone("cement") * light
    overlay(albedo, tone("stain"), np.float32(0.35) * smooth_step(dirt + land, 0.8, 3.6))
    overlay(
        albedo,
        tone("dust"),
        np.float32(0.45) * smooth_step(np.float32(0.5) * dirt - land, -0.4, 2.6),
    )
    dusty = smooth_step(run.flank + np.float32(0.25) * dirt, 0.6, 0.0)
    overlay(albedo, tone("soil"), np.float32(0.5) * dusty)
    dampen(albedo, 0.75 * run.moment.wetness)
    return Look(albedo=albedo)


def _dirt(run: _Run) -> Look:
    """Give a track: two ruts, grass between and beside them, puddles after rain."""
    lattice, seed, moment = run.box.lattice, run.road.seed, run.moment
    dirt, land = wear(lattice, mix_seed(seed, 42)), swell(lattice, mix_seed(seed, 43))
    fine = tufts(lattice, mix_seed(seed, 44))
    albedo = bare_soil(lattice, seed, np.float32(0.6) * land, fine)
    # A lane for every 3 m; feet and scooters wear a path too narrow for wheels in its middle.
    wander = run.v + np.float32(0.18) * land
    driven = run.road.width_m > 2.2
    ruts = _wheels(wander, [0.0]) if driven else crack(wander, 0.7)
    ruts *= np.float32(1.0) + np.float32(0.25) * dirt
    overlay(albedo, tone("dust"), np.float32(0.65) * np.clip(ruts, 0.0, 1.0))
    dampen(albedo, 0.8 * moment.wetness)
    between = np.float32(0.5) * dirt + land + np.float32(0.3) * fine - np.float32(1.7) * ruts
    between -= np.float32(0.4) * np.minimum(run.inside, np.float32(1.0))
    leaf = mix(tone("grass_dry"), tone("grass_green"), np.full_like(ruts, moment.green))
    leaf *= np.float32(0.95) + np.float32(0.25) * fine
    overlay(albedo, leaf, np.float32(0.85) * smooth_step(between, 0.1, 1.1))
    if moment.wetness > 0.4:
        low = ruts + np.float32(0.5) * dirt + np.float32(moment.wetness)
        overlay(albedo, tone("mud") * np.float32(0.6), smooth_step(low, 2.1, 2.4))
    return Look(albedo=albedo)


def _canal(run: _Run) -> Look:
    """Give water between copings or banks: narrower with a rim of mud where it is low."""
    lattice, seed, moment = run.box.lattice, run.road.seed, run.moment
    ragged = wear(lattice, mix_seed(seed, 42))
    lined = seed % 2 == 0
    from_water = run.inside + np.float32(0.02 if lined else 0.25) * ragged
    low_m = -min(moment.water_m, 0.0) if lined else -1.5 * moment.water_m
    from_water -= np.float32(min(low_m, 0.4 * run.road.width_m))
    wet = smooth_step(from_water, -0.06, 0.06)
    albedo = mix(tone("soil"), tone("mud"), smooth_step(from_water, -0.9, -0.1))
    albedo *= np.float32(0.95) + np.float32(0.1) * ragged
    if lined:
        rim = cover_edge(np.float32(0.12) - run.flank, lattice.pixel_m)
        overlay(albedo, tone("concrete") * (np.float32(1.0) + np.float32(0.07) * ragged), rim)
    else:
        leaf = tone("grass_dry") + (tone("weed") - tone("grass_dry")) * np.float32(moment.green)
        bank = smooth_step(run.inside + np.float32(0.3) * ragged, 0.5, -0.2)
        overlay(albedo, leaf * (np.float32(1.0) + np.float32(0.2) * ragged), bank)
    surface = water_albedo(lattice, seed, moment, foul=(seed % 5) / 6.0)
    surface *= np.float32(0.75) + np.float32(0.25) * smooth_step(from_water, 0.0, 1.2)
    overlay(albedo, surface, wet)
    return Look(albedo=albedo, rise=np.float32(-DEPTH_M) * wet, water=wet)


_SURFACES: Mapping[str, Callable[[_Run], Look]] = MappingProxyType(
    {"asphalt": _asphalt, "canal": _canal, "cement": _cement, "dirt": _dirt}
)


def paint_road(canvas: Canvas, road: Road, moment: Moment) -> None:
    """Pave a straight run of road, or fill a canal.

    Parameters
    ----------
    canvas
        What to paint on; a road over water becomes a bridge.
    road
        The road.
    moment
        Season, weather and sun.
    """
    for run in _runs(canvas, road, moment, _EDGE_M):
        pixel_m = run.box.lattice.pixel_m
        ragged = wear(run.box.lattice, mix_seed(road.seed, 40))
        if road.surface == "canal":
            cover = cover_edge(run.inside + np.float32(_COPING_M), pixel_m)
        elif road.surface == "dirt":
            edge = np.float32(0.3) * ragged
            edge += np.float32(0.15) * tufts(run.box.lattice, mix_seed(road.seed, 46))
            np.clip(edge, -_FRAY_M, _FRAY_M, out=edge)
            cover = smooth_step(edge + run.inside, -0.4, 0.4)
        else:
            broken = np.float32(0.09 if road.surface == "asphalt" else 0.05)
            cover = cover_edge(run.inside + broken * ragged, pixel_m)
        if road.surface != "canal":
            _bridge(run, cover)
        dress(run.box, cover, _SURFACES[road.surface](run), moment.sun)


def _bridge(run: _Run, cover: Singles) -> None:
    """Lift the ground of a road that lies over water from the water's bed to its banks."""
    row = run.box.lattice.row - run.box.canvas.lattice.row
    column = run.box.lattice.column - run.box.canvas.lattice.column
    rows, columns = cover.shape
    mirror = run.box.canvas.mirror[row : row + rows, column : column + columns]
    if mirror.any():
        run.box.lift(np.float32(DEPTH_M) * (mirror > np.float32(_BRIDGED)) * cover)
        mirror *= np.float32(1.0) - cover
