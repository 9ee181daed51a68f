"""A simulated area as it was ordered: flights, truth, and permits as bureaus send them.

::

    permits.gpkg            the true permits
    permits_dirty/          the same with the dirt that was ordered
    permits_dirty.json      what was done to them, and what they still tell
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely

from survey.blocks import Progress
from survey.errors import SettingsError
from survey.simulation.area import scene_of, write_area
from survey.simulation.flights import AreaPlan
from survey.simulation.new_folder import new_folder, require_room
from survey.simulation.permits.permit_dirt import Severity, draw_dirt
from survey.simulation.permits.permit_files import Form, write_permits
from survey.simulation.permits.soiled_permits import Soiled, soil_permits
from survey.simulation.scene import Scene
from survey.simulation.truth import tabulate_permits
from survey.words import _

__all__ = ["Order", "bytes_needed", "deliver_area", "with_mosaics"]

# 10 km at 10 cm: four hours of one core for every flight, at the 0.7 million pixels per second that
# 120 m at 5 cm took (2026).
_MOST_PX = 100_000
# Bytes per pixel. Drafts are not compressed, and the overviews of the orthophoto lie beside it as
# long as it is finished. Finished files took at most 0.72, 1.17 and 1.56: nine flights of 100 m at
# 10 cm, over an urban village, farmland and hills (2026).
_IMAGE_DRAFT, _TRUTH_DRAFT = 4.2, 24.2
_IMAGE, _SURFACE, _TRUTH = 0.8, 1.3, 1.6
_LAYERS = 20e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a simulation."""

    plan: AreaPlan
    """The area, as from `draw_plan`."""
    pixel_truth: bool = False
    """True to write beside every orthophoto what is true of each of its pixels."""
    dirt: Severity | None = None
    """How carelessly a second layer of permits was kept; None for no such layer."""
    permit_form: Form = "gpkg"
    """Format of that layer."""
    workers: int = 0
    """Processes to render with, 0 for one per core; the files are the same for any number."""


def with_mosaics(
    plan: AreaPlan,
    *,
    collar: Literal["none", "mask", "black", "white"],
    lean: float | None = None,
) -> AreaPlan:
    """Give every flight of a plan another edge and, unless None, another lean of its roofs.

    Examples
    --------
    >>> from survey.simulation.plan import draw_plan
    >>> plan = with_mosaics(draw_plan(seed=1), collar="black", lean=0.0)
    >>> {(flight.mosaic.collar, flight.mosaic.lean) for flight in plan.flights}
    {('black', 0.0)}
    """
    flights = [
        replace(
            flight,
            mosaic=replace(
                flight.mosaic,
                collar=collar,
                lean=flight.mosaic.lean if lean is None else lean,
            ),
        )
        for flight in plan.flights
    ]
    return replace(plan, flights=tuple(flights))


def bytes_needed(order: Order) -> float:
    """Estimate the room on the disk that an order needs while it is made.

    Examples
    --------
    >>> from survey.simulation.plan import draw_plan
    >>> round(bytes_needed(Order(plan=draw_plan(seed=1))) / 1e6)
    70
    """
    plan = order.plan
    pixels = (plan.side_m / plan.pixel_m) ** 2
    kept = _IMAGE * pixels + _SURFACE * (plan.side_m / plan.surface_pixel_m) ** 2
    if order.pixel_truth:
        kept += _TRUTH * pixels
    draft = (_TRUTH_DRAFT if order.pixel_truth else _IMAGE_DRAFT) * pixels
    return len(plan.flights) * kept + draft + _LAYERS


def deliver_area(
    folder: Path,
    order: Order,
    *,
    say: Callable[[str], None] = lambda _sentence: None,
    progress: Progress | None = None,
) -> Scene:
    """Write an area into a new folder, whole or not at all.

    Parameters
    ----------
    folder
        Where to write; must not exist or be empty.
    order
        What to write.
    say
        Told what takes long and has no progress.
    progress
        Told after every tile.

    Returns
    -------
    Scene
        What the flights have seen.

    Raises
    ------
    survey.errors.SettingsError
        If that many pixels are out of reach, or there are no permits to put dirt on.
    survey.errors.OutputError
        If there is something in the folder already, or too little room on its disk.
    """
    _require_reach(order)
    require_room(
        folder,
        bytes_needed(order),
        _("another disk, a larger --pixel, a smaller --side or fewer --flights"),
    )
    with new_folder(folder) as draft:
        say(_("drawing the area"))
        scene = scene_of(order.plan)
        soiled = None if order.dirt is None else _soil(order, order.dirt, scene)
        write_area(
            draft,
            order.plan,
            scene,
            pixel_truth=order.pixel_truth,
            workers=order.workers,
            progress=progress,
        )
        if soiled is not None:
            _write_dirty(soiled, draft, order.permit_form)
    return scene


def _write_dirty(soiled: Soiled, folder: Path, form: Form) -> None:
    written = write_permits(soiled, folder / "permits_dirty", form)
    log = _describe(soiled, written[0].relative_to(folder))
    text = json.dumps(log, ensure_ascii=False, indent=1, default=str)
    (folder / "permits_dirty.json").write_text(text + "\n", encoding="utf-8")


def _require_reach(order: Order) -> None:
    plan = order.plan
    size = round(plan.side_m / plan.pixel_m)
    if size > _MOST_PX:
        text = _(
            "{side:g} m at {pixel:g} m are {size} pixels along a side, more than {most}: take a"
            " larger --pixel or a smaller --side"
        )
        raise SettingsError(
            text.format(side=plan.side_m, pixel=plan.pixel_m, size=size, most=_MOST_PX)
        )


def _soil(order: Order, severity: Severity, scene: Scene) -> Soiled:
    """Draw the layer with dirt before anything is rendered: there may be nothing to draw."""
    permits = tabulate_permits(order.plan, scene)
    if permits.empty:
        text = _("this area has no permits to put dirt on: take a larger --side or another --seed")
        raise SettingsError(text)
    rng = np.random.Generator(np.random.PCG64([order.plan.seed, 3]))
    return soil_permits(permits, draw_dirt(rng, severity), rng)


def _describe(soiled: Soiled, path: Path) -> dict[str, Any]:
    """Give the truth about a layer with dirt for `permits_dirty.json`."""
    fates = [
        {item.name: getattr(fate, item.name) for item in fields(fate)}
        | {"ground": shapely.to_wkt(fate.ground, rounding_precision=3)}
        for fate in soiled.fates
    ]
    return {
        "file": path.as_posix(),
        "crs": soiled.crs,
        "dirt": asdict(soiled.dirt),
        "deeds": [asdict(deed) for deed in soiled.deeds],
        "fates": fates,
    }
