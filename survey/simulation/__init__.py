"""Scripted scenes seen by successive flights, with the exact truth.

>>> from pathlib import Path
>>> from survey.simulation import draw_plan, simulate_area
>>> plan = draw_plan(seed=7, side_m=200.0, setting="urban_village")
>>> simulate_area(Path("area"), plan)  # doctest: +SKIP
"""

from survey.simulation.afar import seen_from_afar, swept, whole_changes, with_towers
from survey.simulation.area import scene_of, simulate_area
from survey.simulation.camera.aim import image_frame, surface_frame, tiles_in
from survey.simulation.camera.lens import PixelTruth, render_image, render_truth
from survey.simulation.camera.surface import render_surface
from survey.simulation.camera.view import View, view_of
from survey.simulation.delivery import Order, bytes_needed, deliver_area, with_mosaics
from survey.simulation.flights import (
    SETTINGS,
    AreaPlan,
    Displacement,
    FlightPlan,
    Light,
    Mosaic,
    Setting,
    SurfaceError,
    Wave,
    displacement,
    undo_displacement,
)
from survey.simulation.plan import draw_plan
from survey.simulation.scene import Scene
from survey.simulation.truth import ExpectedChange, changes_between
from survey.simulation.turning.changes import Turning
from survey.simulation.turning.turned_back_files import turn_back_file

__all__ = [
    "SETTINGS",
    "AreaPlan",
    "Displacement",
    "ExpectedChange",
    "FlightPlan",
    "Light",
    "Mosaic",
    "Order",
    "PixelTruth",
    "Scene",
    "Setting",
    "SurfaceError",
    "Turning",
    "View",
    "Wave",
    "bytes_needed",
    "changes_between",
    "deliver_area",
    "displacement",
    "draw_plan",
    "image_frame",
    "render_image",
    "render_surface",
    "render_truth",
    "scene_of",
    "seen_from_afar",
    "simulate_area",
    "surface_frame",
    "swept",
    "tiles_in",
    "turn_back_file",
    "undo_displacement",
    "view_of",
    "whole_changes",
    "with_mosaics",
    "with_towers",
]
