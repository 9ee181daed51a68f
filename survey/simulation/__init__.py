"""Scripted scenes seen by successive flights, with the exact truth.

>>> from pathlib import Path
>>> from survey.simulation import draw_plan, simulate_area
>>> plan = draw_plan(seed=7, side_m=200.0)
>>> simulate_area(Path("area"), plan)  # doctest: +SKIP
"""

from survey.simulation.area import scene_of, simulate_area
from survey.simulation.flights import (
    AreaPlan,
    Displacement,
    FlightPlan,
    Light,
    SurfaceError,
    Wave,
    displacement,
    undo_displacement,
)
from survey.simulation.lens import image_frame, render_image, render_surface, surface_frame
from survey.simulation.plan import draw_plan
from survey.simulation.scene import Scene
from survey.simulation.truth import ExpectedChange, changes_between

__all__ = [
    "AreaPlan",
    "Displacement",
    "ExpectedChange",
    "FlightPlan",
    "Light",
    "Scene",
    "SurfaceError",
    "Wave",
    "changes_between",
    "displacement",
    "draw_plan",
    "image_frame",
    "render_image",
    "render_surface",
    "scene_of",
    "simulate_area",
    "surface_frame",
    "undo_displacement",
]
