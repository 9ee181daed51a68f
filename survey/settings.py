"""Every setting, with its unit and default, and the TOML file that may hold them.

A number a user can set is in metres, square metres, degrees or a share; never in pixels.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from survey.errors import SettingsError
from survey.words import _

__all__ = [
    "PRECISIONS",
    "AlignSettings",
    "BlockSettings",
    "DetectSettings",
    "PermitSettings",
    "Settings",
    "read_settings",
]

PRECISIONS = ("standard", "precise")
"""How exactly two flights can be aligned; the first is the default."""

# Beyond these a run would find nothing, and look as if there were nothing: shares end at one, and
# pixels coarser than a metre show no small structure (``survey.checks`` refuses such flights too).
_LARGEST = {
    "min_score": 1.0,
    "min_cover": 1.0,
    "pixel_m": 1.0,
    "search_m": 200.0,
    "workers": 256,
}
_CHOICES = {"precision": PRECISIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignSettings:
    """How two flights are brought onto the same ground."""

    precision: str = PRECISIONS[0]
    """``standard``: as good as detection needs; ``precise``: as good as the pictures allow."""
    search_m: float = 20.0
    """Largest offset between the flights that is looked for, m."""
    assumed_error_m: float = 1.0
    """Tolerance where the georeferencing has to be believed (verdict ``unverified``), m."""
    accept: bool = False
    """Go on although the alignment was refused; recorded as accepted by the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings:
    """What counts as a change."""

    pixel_m: float = 0.2
    """Pixel the detection works at, m; coarser where the flights are coarser."""
    min_area_m2: float = 10.0
    """Smallest change that is reported, m2."""
    min_height_m: float = 1.8
    """Smallest gain or loss of height that makes a structure, m: a low shed, not a car's bonnet."""
    min_score: float = 0.5
    """Smallest score that is reported."""
    max_tolerance_m: float = 3.0
    """Ground where the flights may be misaligned by more than this is not judged, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitSettings:
    """How changes are held against the permits."""

    tolerance_m: float = 0.5
    """Accuracy of the permit drawing itself, m; the alignment's tolerance is added to it."""
    min_excess_m2: float = 5.0
    """Area beyond the permit (and its tolerance) that makes an excess, m2."""
    min_cover: float = 0.3
    """Share of a change that a permit must cover to be the permit of that change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSettings:
    """How the work is cut up; decides speed and memory, never the result."""

    workers: int = 0
    """Processes; 0 means one for each core."""
    side_m: float = 400.0
    """Side of the blocks the ground is worked through in, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a run."""

    align: AlignSettings = field(default_factory=AlignSettings)
    """Section ``[align]``."""
    detect: DetectSettings = field(default_factory=DetectSettings)
    """Section ``[detect]``."""
    permits: PermitSettings = field(default_factory=PermitSettings)
    """Section ``[permits]``."""
    blocks: BlockSettings = field(default_factory=BlockSettings)
    """Section ``[blocks]``."""

    def changed(self, section: str, **values: Any) -> "Settings":
        """Return the settings with some of a section replaced; None leaves a value as it is."""
        given = {name: value for name, value in values.items() if value is not None}
        part = dataclasses.replace(getattr(self, section), **given)
        _check_section(section, part)
        return dataclasses.replace(self, **{section: part})


def read_settings(path: Path | None) -> Settings:
    """Read settings from a TOML file; without one, return the defaults.

    Raises
    ------
    SettingsError
        The file cannot be read, is not TOML, or holds an unknown or impossible setting.
    """
    settings = Settings()
    if path is None:
        return settings
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            _("{path}: not a readable TOML settings file ({error})").format(path=path, error=error)
        ) from error
    for section, values in tables.items():
        settings = _with_section(settings, section, values, path)
    return settings


def _with_section(settings: Settings, section: str, values: Any, path: Path) -> Settings:
    sections = {f.name for f in dataclasses.fields(Settings)}
    if section in sections and not isinstance(values, dict):
        raise SettingsError(
            _("{path}: {section} is a section; write [{section}] and its settings below").format(
                path=path, section=section
            )
        )
    if section not in sections:
        raise SettingsError(
            _("{path}: unknown section [{section}]; known are {known}").format(
                path=path, section=section, known=", ".join(sorted(sections))
            )
        )
    known = {f.name for f in dataclasses.fields(getattr(settings, section))}
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingsError(
            _("{path}: unknown setting {name} in [{section}]; known are {known}").format(
                path=path, name=unknown[0], section=section, known=", ".join(sorted(known))
            )
        )
    return settings.changed(section, **values)


def _check_section(section: str, part: Any) -> None:
    """Refuse values of the wrong type and numbers that no run can use."""
    for item in dataclasses.fields(part):
        value, default = getattr(part, item.name), item.default
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = isinstance(value, bool) if isinstance(default, bool) else number
        if isinstance(default, str):
            fits = value in _CHOICES[item.name]
        if fits and isinstance(default, int) and not isinstance(default, bool):
            fits = isinstance(value, int)
        if not fits or (number and not 0 <= value <= _LARGEST.get(item.name, 1e6)):
            raise SettingsError(
                _("setting {section}.{name} cannot be {value!r}").format(
                    section=section, name=item.name, value=value
                )
            )
