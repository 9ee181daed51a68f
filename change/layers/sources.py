"""Sources: from what the user typed to one layer of one local file that GDAL may open."""

import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pyogrio

from survey.errors import LayerError
from survey.words import _

__all__ = ["BYTES", "Source", "local_path", "opened", "rim"]

T = TypeVar("T")

# Formats that lie in a local file and hold their own data. Everything else GDAL knows reaches out
# (WFS, OAPIF, PG, HTTP), points elsewhere (OGR_VRT, GDALG) or runs a program (GPSBabel).
_DRIVERS = frozenset(
    {"CSV", "DGN", "DXF", "ESRI Shapefile", "ESRIJSON", "FlatGeobuf", "GML", "GPKG", "GPX"}
    | {"GeoJSON", "GeoJSONSeq", "JML", "JSONFG", "KML", "LIBKML", "MapInfo File", "ODS"}
    | {"MiraMonVector", "OGR_GMT", "OpenFileGDB", "SQLite", "TopoJSON", "XLSX"}
)
# Small text files that make GDAL open something else; looked for before GDAL sees the file.
_POINTER = re.compile(
    rb"<OGR\w*DataSource|<OGCAPI|<GDAL_\w+|<VRTDataset|gdal_streamed_alg", re.IGNORECASE
)
BYTES = "ISO-8859-1"
"""Keeps every byte of a text as one character, so that it can be decoded afterwards."""
_HEAD_BYTES = 65_536
_SUFFIXES = frozenset(
    {".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".fgb", ".gdb", ".kml", ".kmz", ".gml"}
    | {".tab", ".mif", ".sqlite", ".dxf"}
)
# A real province of permits is well below; a zip bomb is above.
_UNZIPPED_LIMIT = 2 * 2**30
# Text of coordinates packs to a tenth; a hundredfold is blanks. Small files may do as they like.
_DENSEST, _SMALL = 100, 64 * 2**20
# A GML file may name a schema on some server, which the driver would fetch. SHAPE_RESTORE_SHX must
# never be set here: it rewrites the .shx even of a shapefile that has one.
_OPTIONS = {"GML_DOWNLOAD_SCHEMA": "NO"}
_SEQUENCE = re.compile(rb"\s*\{.*\}[ \t\r]*\n\s*\{")
"""One JSON object a line: read as plain GeoJSON, every line but the first is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One layer that can be opened."""

    path: Path
    """The file or folder that is opened; may be a temporary copy."""
    target: str
    """The name GDAL opens it by."""
    shown: str
    """The source as the user knows it, for sentences."""
    layer: str
    """Name of the layer inside ``path``."""
    assumptions: tuple[str, ...]
    """What was chosen on the user's behalf, as sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    path: Path
    target: str
    name: str
    geometry: str
    """OGR's name of the geometry type."""


@contextmanager
def opened(text: str | Path, layer: str | None = None) -> Iterator[Source]:
    """Find the layer that is meant; a temporary copy, if any, lives as long as the context.

    Parameters
    ----------
    text
        A local file or folder, or ``FILE|layername=NAME``.
    layer
        Name of the layer, where ``text`` does not say it.

    Raises
    ------
    LayerError
        There is no such file, it is not a local vector file, or it has no such layer.
    """
    path, wanted = _parsed(str(text))
    with tempfile.TemporaryDirectory(prefix="orthowatch-") as folder, _gdal_options():
        found, broken = _layers(_datasets(_own_copy(path, Path(folder))), path)
        if not found:
            nothing = _("{path}: no layer with geometry").format(path=path)
            raise LayerError(broken[0] if broken else nothing)
        chosen, said = _choice(found, wanted or layer, path)
        yield Source(
            path=chosen.path,
            target=chosen.target,
            shown=str(text).partition("|")[0],
            layer=chosen.name,
            assumptions=(*broken, *said),
        )


def rim(call: Callable[[], T], shown: str) -> tuple[T, tuple[str, ...]]:
    """Return what a call into GDAL gives, and GDAL's warnings.

    Its failures become a ``LayerError``, but for text that is not UTF-8. A damaged file fails in
    many ways inside the library; all of them are the file's fault.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call()
    except UnicodeDecodeError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise LayerError(
            _("{path}: cannot be read as a vector layer ({error})").format(
                path=shown, error=_one_line(str(error))
            )
        ) from error
    return result, tuple(dict.fromkeys(_one_line(str(item.message)) for item in caught))


def _one_line(message: str) -> str:
    """Keep GDAL's finding and leave out pyogrio's advice, which speaks to programmers."""
    first = re.split(r"[;.] It might help", message, maxsplit=1)[0]
    return re.sub(r"\s+", " ", first).strip().rstrip(".")[:300]


@contextmanager
def _gdal_options() -> Iterator[None]:
    before = {name: pyogrio.get_gdal_config_option(name) for name in _OPTIONS}
    pyogrio.set_gdal_config_options(_OPTIONS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _parsed(text: str) -> tuple[Path, str | None]:
    """Split ``path|layername=x``, the way QGIS writes a layer, and make sure the path is local."""
    name, bar, rest = text.partition("|")
    key, equals, wanted = rest.partition("=")
    if bar and (key.strip().lower() != "layername" or not equals or "|" in wanted):
        raise LayerError(_("{path}: after | only layername=NAME is understood").format(path=text))
    try:
        path = Path(name).expanduser()
        exists, full = path.exists(), path.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise LayerError(_("{path}: not a path").format(path=repr(text)[:200])) from error
    if str(full).startswith("/vsi") or (not exists and re.match(r"\s*[A-Za-z][\w+.-]+:", name)):
        raise LayerError(_("{path}: only files on this machine are read").format(path=_told(name)))
    if not exists:
        raise LayerError(_("{path}: no such file").format(path=_told(name)))
    for shp in (full.with_suffix(".shp"), full.with_suffix(".SHP")):
        if full.suffix.lower() in (".dbf", ".shx", ".prj", ".cpg") and shp.exists():
            return shp, wanted.strip() or None
    return full, wanted.strip() or None


def _told(name: str) -> str:
    """Return what was typed without a user and password, should it be an address after all."""
    bare = re.sub(r"(?<=://).*@", "", name)
    return re.sub(r"(?i)(password|passwd|pwd|user)\s*=\s*\S+", r"\1=...", bare)


def local_path(text: str | Path) -> Path:
    """Return the file that is meant, without the name of a layer; it need not exist."""
    try:
        return Path(str(text).partition("|")[0]).expanduser()
    except RuntimeError:
        return Path(str(text))


def _own_copy(path: Path, folder: Path) -> Path:
    """Return where to open: the path itself, or a copy where opening fails or writes beside it."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _unzipped(path, folder)
    # pyogrio takes "!" for the border of an archive; the GML driver writes a .gfs beside the file.
    if path.is_dir() or not ("!" in str(path) or suffix in (".gml", ".xml")):
        return path
    stem = path.stem.replace("!", "_")
    for sibling in sorted(path.parent.iterdir()):
        if sibling.stem == path.stem and sibling.is_file():
            shutil.copyfile(sibling, folder / f"{stem}{sibling.suffix}")
    return folder / f"{stem}{path.suffix}"


def _refuse_bomb(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse an archive that unpacks to more than any layer of permits holds."""
    unpacked = sum(item.file_size for item in members)
    packed = max(1, sum(item.compress_size for item in members))
    dense = unpacked > _SMALL and unpacked / packed > _DENSEST
    if unpacked > _UNZIPPED_LIMIT or dense:
        raise LayerError(
            _("{path}: unpacks to {size:.0f} MB, which no layer does; unpack it yourself").format(
                path=path, size=unpacked / 2**20
            )
        )


def _unzipped(path: Path, folder: Path) -> Path:
    """Unpack a zip, with the names a Chinese Windows gives it, without leaving ``folder``."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            _refuse_bomb(members, path)
            for item in members:
                target = folder.joinpath(*_safe_parts(item))
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(item) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise LayerError(
            _("{path}: not a readable zip ({error})").format(path=path, error=_one_line(str(error)))
        ) from error
    return folder


def _safe_parts(item: zipfile.ZipInfo) -> list[str]:
    name = item.filename
    # Without bit 11 (APPNOTE 4.4.4) the name is in the code page of whoever packed it.
    if not item.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("gb18030")
    parts = [p for p in PurePosixPath(name.replace("\\", "/")).parts if p not in ("/", "..", ".")]
    return [re.sub(r"[!:\0]", "_", part) for part in parts] or ["_"]


def _datasets(root: Path) -> list[Path]:
    """List the files under ``root`` that may be layers; a geodatabase folder counts as one."""
    if root.is_file() or root.suffix.lower() == ".gdb":
        return [root]
    inside = [p for p in sorted(root.rglob("*")) if p.suffix.lower() in _SUFFIXES]
    return [
        p for p in inside if not any(q.suffix.lower() == ".gdb" for q in p.parents if q != root)
    ]


def _layers(datasets: list[Path], shown: Path) -> tuple[list[_Layer], list[str]]:
    """List all layers with geometry, and a sentence for each dataset that cannot be used."""
    found: list[_Layer] = []
    broken: list[str] = []
    for path in datasets:
        name = str(shown) if len(datasets) == 1 else f"{shown}/{path.name}"
        try:
            found += _layers_of(path, name)
        except LayerError as error:
            broken.append(str(error))
    return found, broken


def _layers_of(path: Path, shown: str) -> list[_Layer]:
    target = _target(path, shown)
    try:
        rows, _remarks = rim(lambda: pyogrio.list_layers(target), shown)
        kept = [(str(name), str(kind)) for name, kind in rows if kind is not None]
        if kept:
            # Only the driver is wanted; the names of the columns may be in any encoding.
            info, _remarks = rim(
                lambda: pyogrio.read_info(target, layer=kept[0][0], encoding=BYTES), shown
            )
            if info["driver"] not in _DRIVERS:
                raise LayerError(
                    _("{path}: {driver} is not a format that is read here").format(
                        path=shown, driver=info["driver"]
                    )
                )
    except UnicodeDecodeError as error:
        raise LayerError(
            _("{path}: its names are not UTF-8; save it as GeoPackage").format(path=shown)
        ) from error
    return [_Layer(path=path, target=target, name=name, geometry=kind) for name, kind in kept]


def _target(path: Path, shown: str) -> str:
    """Return the name GDAL opens a dataset by; refuse what is incomplete or points elsewhere."""
    if path.is_dir():
        return str(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if _POINTER.search(head):
        raise LayerError(
            _("{path}: points to data elsewhere; give the data itself").format(path=shown)
        )
    if path.suffix.lower() == ".shp":
        for suffix in (".shx", ".dbf"):
            if not any(path.with_suffix(s).exists() for s in (suffix, suffix.upper())):
                raise LayerError(
                    _("{path}: the {suffix} of this shapefile is missing").format(
                        path=shown, suffix=suffix
                    )
                )
    return f"GeoJSONSeq:{path}" if _SEQUENCE.match(head) else str(path)


def _named(layers: list[_Layer]) -> str:
    """Return the first names, each once and told apart by its file where two are alike."""
    names = [layer.name for layer in layers]
    full = [
        f"{layer.path.name}/{layer.name}" if names.count(layer.name) > 1 else layer.name
        for layer in layers
    ]
    return ", ".join([*dict.fromkeys(full)][:10]) + (", ..." if len(full) > 10 else "")


def _choice(found: list[_Layer], wanted: str | None, shown: Path) -> tuple[_Layer, tuple[str, ...]]:
    """Take the layer asked for, else the only one that may hold polygons, else the first."""
    names = ", ".join(layer.name for layer in found)
    if wanted is not None:
        for layer in found:
            if layer.name == wanted:
                return layer, ()
        raise LayerError(
            _("{path}: no layer {name}; it has {names}").format(
                path=shown, name=wanted, names=names
            )
        )
    for pattern in ("Polygon|Surface", "Unknown|Collection"):
        fitting = [layer for layer in found if re.search(pattern, layer.geometry)]
        if len(fitting) == 1:
            return fitting[0], ()
        if fitting:
            raise LayerError(
                _("{path}: several layers may be meant; name one with |layername=: {names}").format(
                    path=shown, names=_named(fitting)
                )
            )
    if len(found) == 1:
        return found[0], ()
    sentence = _("{path}: none of the layers {names} is one of polygons; the first was taken")
    return found[0], (sentence.format(path=shown, names=names),)
