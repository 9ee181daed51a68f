"""The check of a permit layer: read as a run would read it, with every flaw in one report."""

from pathlib import Path

from change.ground_layers import LayerOptions, open_permit_layer, read_inputs
from change.permits import Permits
from survey.alignment import common_ground
from survey.errors import SettingsError
from survey.flight import open_flight
from survey.grid import WorkingGrid
from survey.runs import Input, Run, hash_inputs, start_run
from survey.settings import Settings
from survey.words import _

__all__ = ["check_permits"]


def check_permits(
    options: LayerOptions, near: Path | None, settings: Settings
) -> tuple[Permits, Run]:
    """Read a permit layer and say of what.

    Parameters
    ----------
    options
        The layer, and what the command line says about it.
    near
        An orthophoto the layer belongs to; without one nothing is assumed about where it lies.
    settings
        Of these ``[permits] columns`` is used.

    Raises
    ------
    LayerError
        The layer cannot be read or placed, or lies elsewhere.
    FlightError
        The orthophoto cannot be read.
    SettingsError
        No layer is named.
    """
    area = None if near is None else _ground(near, options)
    permits = open_permit_layer(options, area, settings)
    if permits is None:
        raise SettingsError(_("name a layer of permits"))
    return permits, start_run(_inputs(options, near, permits), settings, options.told())


def _ground(near: Path, options: LayerOptions) -> WorkingGrid:
    flight = open_flight(near, crs=options.assumed_crs)
    return common_ground(flight, flight, flight.pixel_m)


def _inputs(options: LayerOptions, near: Path | None, permits: Permits) -> tuple[Input, ...]:
    """Return what the report depends on."""
    files = [*options.files(), *([] if near is None else [("near", near)])]
    return (*read_inputs(permits, None), *hash_inputs(files))
