"""What a detector model takes and gives: a few lines of TOML beside the ONNX file."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survey.errors import DetectorError
from survey.words import N_, _

__all__ = ["CHANGES", "MAPS", "Manifest", "read_manifest"]

MAPS = ("roof_before", "roof_after", "appeared", "gone")
"""The maps that detection knows; the slugs that manifests and data carry."""

_CHANGED = "changed"  # appeared or gone, whichever: for models that do not tell the two apart
CHANGES = ("appeared", "gone", _CHANGED)
"""What a manifest calls the maps of what changed."""

_ACTIVATIONS = ("sigmoid", "none")
_KEYS = {
    "name", "pixel_m", "multiple_px", "halo_px", "inputs", "maps", "scale", "offset", "output",
    "again",
}  # fmt: skip
# Beyond this no picture is scaled or shifted.
_LARGEST = 1e4
# Least and largest value.
_LIMITS = {"pixel_m": (0.01, 10.0), "multiple_px": (1, 512), "halo_px": (0, 512)}
_ALLOWED = {
    "name": N_("a name is needed"),
    "pixel_m": N_("a number of metres from {least} to {most} is needed"),
    "multiple_px": N_("a whole number from {least} to {most} is needed"),
    "halo_px": N_("a whole number from {least} to {most} is needed"),
    "inputs": N_("the names of one or two inputs are needed"),
    "maps": N_(
        "appeared and gone, or changed, are needed, each at most once; roof_before, roof_after and"
        " - may stand beside them"
    ),
    "scale": N_("a number or three, for red, green and blue, are needed"),
    "offset": N_("a number or three, for red, green and blue, are needed"),
    "output": N_("sigmoid or none is needed"),
    "again": N_("true or false is needed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a model takes and gives."""

    name: str
    """Name, told in the run record."""
    pixel_m: float
    """Ground pixel it was made for, m; pictures are brought to it."""
    multiple_px: int
    """Sides of its input are multiples of this, pixels."""
    halo_px: int
    """How far around a pixel it looks, pixels of its own."""
    inputs: tuple[str, ...]
    """Names of its inputs: before and after, or one for both stacked to six bands."""
    maps: tuple[str, ...]
    """What the bands of its output are: of ``MAPS``, ``changed``, or ``-`` for none of them."""
    scale: tuple[float, float, float]
    """What red, green and blue (0-255) are multiplied by."""
    offset: tuple[float, float, float]
    """What is added after that."""
    output: str
    """``sigmoid`` where its output is to go through it, ``none`` where it is probabilities."""
    again: bool
    """Whether it looks twice where something may have changed."""


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a model.

    Raises
    ------
    DetectorError
        It is not there, no TOML, or says something that no model can be.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        text = _("{path} is missing: a detector needs a manifest beside it (docs/detection.md)")
        raise DetectorError(text.format(path=path)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        text = _("the manifest {path} cannot be read: {why}")
        raise DetectorError(text.format(path=path, why=error)) from error
    wrong = sorted(set(told) - _KEYS)
    if wrong:
        text = _("the manifest {path} has a key that nobody knows: {key}")
        raise DetectorError(text.format(path=path, key=wrong[0]))
    try:
        return _manifest(told)
    except (KeyError, ValueError) as error:
        key = str(error.args[0])
        text = _("the manifest {path} is wrong at {key}: {needed}")
        least, most = _LIMITS.get(key, (0, 0))
        needed = _(_ALLOWED[key]).format(least=least, most=most)
        raise DetectorError(text.format(path=path, key=key, needed=needed)) from error


def _manifest(told: dict[str, Any]) -> Manifest:
    """Build a manifest; a key that is missing or wrong is the argument of what is raised."""
    output = told.get("output", "sigmoid")
    if output not in _ACTIVATIONS:
        raise ValueError("output")
    again = told.get("again", False)
    if not isinstance(again, bool):
        raise ValueError("again")
    inputs = _names(told, "inputs")
    if len(inputs) not in (1, 2):
        raise ValueError("inputs")
    return Manifest(
        name=str(told["name"]),
        pixel_m=_number(told, "pixel_m"),
        multiple_px=_whole(told, "multiple_px", 32),
        halo_px=_whole(told, "halo_px", 64),
        inputs=inputs,
        maps=_maps(told),
        scale=_three(told, "scale", 1 / 255),
        offset=_three(told, "offset", 0.0),
        output=output,
        again=again,
    )


def _names(told: dict[str, Any], key: str) -> tuple[str, ...]:
    names = told[key]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(key)
    return tuple(names)


def _maps(told: dict[str, Any]) -> tuple[str, ...]:
    """Return what the bands of its output are: both sides of what changed among them."""
    maps = _names(told, "maps")
    known = [name for name in maps if name != "-"]
    changes = set(known) & set(CHANGES)
    if (
        set(known) - {*MAPS, _CHANGED}
        or len(known) > len(set(known))
        or changes not in ({"appeared", "gone"}, {_CHANGED})
    ):
        raise ValueError("maps")
    return maps


def _whole(told: dict[str, Any], key: str, usual: int) -> int:
    value = _number(told, key, usual)
    if not value.is_integer():
        raise ValueError(key)
    return int(value)


def _number(told: dict[str, Any], key: str, usual: float | None = None) -> float:
    least, most = _LIMITS[key]
    value = told[key] if usual is None else told.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(key)
    return float(value)


def _three(told: dict[str, Any], key: str, usual: float) -> tuple[float, float, float]:
    values = told.get(key, usual)
    values = values if isinstance(values, list) else [values] * 3
    if len(values) != 3 or not all(
        isinstance(v, int | float)
        and not isinstance(v, bool)
        and math.isfinite(v)
        and abs(v) <= _LARGEST
        for v in values
    ):
        raise ValueError(key)
    return float(values[0]), float(values[1]), float(values[2])
