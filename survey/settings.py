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
    "LIST_LANGUAGES",
    "NAVIGATIONS",
    "PRECISIONS",
    "AlignSettings",
    "BlockSettings",
    "DetectSettings",
    "DispatchSettings",
    "ExportSettings",
    "PermitSettings",
    "Settings",
    "SeveritySettings",
    "Table",
    "read_settings",
]

PRECISIONS = ("standard", "precise")
"""How exactly two flights can be aligned; the first is the default."""

NAVIGATIONS = ("amap", "tencent", "geo", "none")
"""Where links to a place can lead: two vendors' maps, whatever map a phone has, nowhere."""

LIST_LANGUAGES = ("", "en", "zh_CN", "both")
"""Languages of lists and sheets; empty means the user's."""

Table = tuple[tuple[str, Any], ...]
"""Names with what they stand for, in the order they were written; a table of the TOML file."""

# Beyond these a run would find nothing, and look as if there were nothing: shares end at one, and
# pixels coarser than a metre show no small structure (``survey.checks`` refuses such flights too).
_LARGEST = {
    "min_score": 1.0,
    "min_cover": 1.0,
    "pixel_m": 1.0,
    "workers": 256,
    "layer_search_m": 100.0,
    "search_m": 200.0,
    "picture_pixel_m": 1.0,
}
# A cell without a side would never end, and storeys without height would be many.
_LEAST = {"cell_m": 10.0, "storey_m": 2.0, "large_m2": 1.0, "tall_m": 1.0}
_CHOICES = {
    "precision": PRECISIONS,
    "navigation": NAVIGATIONS,
    "language": LIST_LANGUAGES,
}


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
    layer_search_m: float = 20.0
    """Largest offset of the whole layer against the earlier flight that is looked for, m."""
    beside_m: float = 8.0
    """How far from its still-empty permit a building may stand to be taken for the one it permits,
    from wall to outline, m."""
    storey_m: float = 3.0
    """Height of a storey where only metres or only storeys are known, m."""
    height_tolerance_m: float = 1.5
    """Height beyond the permitted one that is held against nobody, m: parapets, stair heads, and
    how heights are counted."""
    columns: Table = ()
    """Field of a permit to the column that holds it, where the usual names are not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveritySettings:
    """How suspects are ranked: points that add up to the severity, at most 100."""

    no_permit: float = 35.0
    """Points for standing without any permit."""
    beside_permit: float = 30.0
    """Points for standing beside the permitted outline."""
    exceeds_permit: float = 27.0
    """Points for being larger than permitted."""
    grown_beyond_permit: float = 27.0
    """Points for having grown beyond the permit."""
    not_compared: float = 22.0
    """Points where no permit layer was given."""
    permit_expired: float = 18.0
    """Points for a permit that had run out."""
    before_grant: float = 13.0
    """Points for a permit that was granted later."""
    protected: Table = (
        ("river", 20.0),
        ("farmland", 20.0),
        ("heritage", 15.0),
        ("road", 10.0),
        ("green", 10.0),
    )
    """Points for standing on protected ground, by the name its layer was given."""
    other_protected: float = 15.0
    """Points for standing on protected ground of another name."""
    size: float = 25.0
    """Points for the area in question, all of them from ``large_m2`` on."""
    large_m2: float = 1000.0
    """Area that gets all points for size, m2: a factory hall."""
    height: float = 10.0
    """Points for height gained, all of them from ``tall_m`` on."""
    tall_m: float = 9.0
    """Height that gets all points for height, m: three storeys."""
    certainty: float = 10.0
    """Points for certainty: all of them for a score of 1, none for 0.5 and less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSettings:
    """Who goes where."""

    cell_m: float = 100.0
    """Side of the cells that are drawn where no layer of cells is given, m."""
    cell_code: str = "{east:05d}-{north:05d}"
    """How such cells are numbered: ``east`` and ``north`` count cells from the origin of the CRS,
    ``township`` and ``community`` are the codes there, ``serial`` counts the cells of the smaller
    of the two, from west to east and then north to south."""
    teams: Table = ()
    """Code or name of a township or community to the team that goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """What people are handed."""

    picture_pixel_m: float = 0.1
    """Pixel of the two orthophotos that go with a result, m; coarser where the flights are coarser.
    0 leaves them out."""
    navigation: str = "amap"
    """Whose map the links to a place open: ``amap``, ``tencent``, ``geo`` (any), or ``none``."""
    language: str = ""
    """Language of lists and sheets: ``en``, ``zh_CN``, ``both``, or empty for the user's."""


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
    severity: SeveritySettings = field(default_factory=SeveritySettings)
    """Section ``[severity]``."""
    dispatch: DispatchSettings = field(default_factory=DispatchSettings)
    """Section ``[dispatch]``."""
    export: ExportSettings = field(default_factory=ExportSettings)
    """Section ``[export]``."""
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
    known = {f.name: f.default for f in dataclasses.fields(getattr(settings, section))}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingsError(
            _("{path}: unknown setting {name} in [{section}]; known are {known}").format(
                path=path, name=unknown[0], section=section, known=", ".join(sorted(known))
            )
        )
    told = {name: _read(known[name], value) for name, value in values.items()}
    return settings.changed(section, **told)


def _read(default: Any, value: Any) -> Any:
    """Return a table of the file as the pairs a setting holds; what it leaves out stays."""
    if isinstance(default, tuple) and isinstance(value, dict):
        return tuple((dict(default) | value).items())
    return value


def _check_section(section: str, part: Any) -> None:
    """Refuse values of the wrong type and numbers that no run can use."""
    for item in dataclasses.fields(part):
        value, default = getattr(part, item.name), item.default
        if isinstance(default, tuple):
            # What a table of points holds is numbers, what others hold is names.
            sample: Any = 0.0 if default else ""
            fits = isinstance(value, tuple) and all(
                isinstance(name, str) and _fits(item.name, entry, sample) for name, entry in value
            )
        else:
            fits = _fits(item.name, value, default)
        if not fits:
            raise SettingsError(
                _("setting {section}.{name} cannot be {value!r}").format(
                    section=section, name=item.name, value=value
                )
            )


def _fits(name: str, value: Any, default: Any) -> bool:
    """Whether a value is of the type of the default, and within the limits of its name."""
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, str):
        return value in _CHOICES[name] if name in _CHOICES else isinstance(value, str)
    wanted = int if isinstance(default, int) else int | float
    if isinstance(value, bool) or not isinstance(value, wanted):
        return False
    return bool(_LEAST.get(name, 0.0) <= value <= _LARGEST.get(name, 1e6))
