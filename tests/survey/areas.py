"""Areas made by hand, and flights without any error: truth that no drafting had a hand in."""

from dataclasses import replace
from functools import cache

import numpy as np
import shapely

from survey.simulation import (
    AreaPlan,
    Displacement,
    FlightPlan,
    Light,
    Mosaic,
    Scene,
    SurfaceError,
    draw_plan,
    render_surface,
    scene_of,
    surface_frame,
    view_of,
)
from survey.simulation.scene import Part, Place, State, Structure, Terrain

FLAT = Terrain(level_m=18.0, relief_m=0.0)
CLEAN = SurfaceError(smoothing_m=0.0)


def still(flight: FlightPlan, **more) -> FlightPlan:
    """The same flight without displacement, shift of the file, lean, noise and compression."""
    plain = {
        "displacement": Displacement(),
        "light": Light(noise=0.0),
        "mosaic": Mosaic(),
        "surface": CLEAN,
        "shift_east_m": 0.0,
        "shift_north_m": 0.0,
        "water_m": 0.0,
    }
    return replace(flight, **(plain | more))


def still_plan(*, side_m=60.0, pixel_m=0.1, flights=1, seed=4, setting="fringe", **more):
    """A plan whose flights are all `still`; fields of AreaPlan and FlightPlan may be given."""
    surface_pixel_m = more.pop("surface_pixel_m", 0.2)
    pace = more.pop("pace", 1.0)
    plan = draw_plan(
        seed=seed, side_m=side_m, pixel_m=pixel_m, flights=flights, setting=setting, pace=pace
    )
    calm = tuple(still(flight, **more) for flight in plan.flights)
    return replace(plan, flights=calm, surface_pixel_m=surface_pixel_m)


def small_plan(*, seed=3, flights=2, side_m=40.0, setting="fringe", **mosaic):
    """A plan with all the error of drawn flights; fields of Mosaic may be given."""
    plan = draw_plan(seed=seed, side_m=side_m, pixel_m=0.1, flights=flights, setting=setting)
    changed = tuple(
        replace(flight, mosaic=replace(flight.mosaic, **mosaic)) for flight in plan.flights
    )
    return replace(plan, flights=changed)


def part(roof="flat", *, at=(30.0, 30.0), size=(12.0, 8.0), height_m=9.0, rise_m=0.0, **more):
    """One volume; `roof` has no litter on it unless its skin is named."""
    place = Place(x=at[0], y=at[1], bearing_deg=more.pop("bearing_deg", 20.0))
    return Part(
        place=place, length_m=size[0], width_m=size[1], height_m=height_m, rise_m=rise_m,
        roof=roof, skin=more.pop("skin", "tile_red"), storeys=3, seed=5, **more,
    )  # fmt: skip


def house(number, *parts, flight=0):
    state = State(flight=flight, parts=parts, kind="building", reason="no_permit")
    return Structure(number=number, use="residential", permit_number=None, states=(state,))


def scene_with(*structures, side_m=60.0, terrain=FLAT, **more):
    """Bare soil with nothing on it but these structures."""
    return Scene(seed=3, side_m=side_m, terrain=terrain, wild="soil", structures=structures, **more)


def bare(scene: Scene) -> Scene:
    """The structures of a scene alone, their roofs swept and never painted anew."""

    def swept(item: Part) -> Part:
        return replace(item, fixtures=(), parapet_m=0.0, repaints=())

    structures = tuple(
        replace(
            item,
            states=tuple(
                replace(state, parts=tuple(map(swept, state.parts))) for state in item.states
            ),
        )
        for item in scene.structures
    )
    return replace(scene, structures=structures, trees=(), props=(), patches=(), wild="soil")


@cache
def drawn(setting, seed, *, side_m=100.0, flights=4, pace=2.0) -> tuple[AreaPlan, Scene]:
    """A drawn area, flown without error."""
    plan = still_plan(
        side_m=side_m, pixel_m=0.2, flights=flights, seed=seed, setting=setting, pace=pace
    )
    return plan, scene_of(plan)


def heights_of(plan: AreaPlan, scene: Scene, index: int):
    """The surface model of a whole area at one flight, shape (rows, columns)."""
    view = view_of(plan, scene, plan.flights[index])
    return render_surface(view, surface_frame(plan, plan.flights[index]).window)[0]


def centres(side_m: float, pixel_m: float):
    """Metres east of columns, metres north of rows."""
    x = (np.arange(round(side_m / pixel_m)) + 0.5) * pixel_m
    return x, side_m - x


def within(shape, side_m: float, pixel_m: float):
    """Where pixels of a whole area lie inside a shape in local metres."""
    x, y = centres(side_m, pixel_m)
    west, south, east, north = shape.bounds
    columns = slice(*np.searchsorted(x, (west, east)))
    rows = slice(*(x.size - np.searchsorted(x, (north, south))))
    found = np.zeros((x.size, x.size), dtype=bool)
    found[rows, columns] = shapely.contains_xy(shape, *np.meshgrid(x[columns], y[rows]))
    return found
