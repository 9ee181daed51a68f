# SPDX-License-Identifier: GPL-2.0-or-later
"""What an algorithm asks for, and the words of the command line it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameters,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt

from .sources import plain_source, raster_path, save_layer

__all__ = [
    "Asked",
    "Choice",
    "Crs",
    "Day",
    "File",
    "Number",
    "Option",
    "Protected",
    "Raster",
    "Switch",
    "Text",
    "Vector",
]

_FOLDER = "_FOLDER"
# How long a name of protected ground may be in the command.
_NAME_LENGTH = 80


@dataclass(frozen=True)
class Asked:
    """What the user gave an algorithm."""

    algorithm: QgsProcessingAlgorithm
    parameters: dict[str, Any]
    context: QgsProcessingContext
    feedback: QgsProcessingFeedback
    folder: Path
    """For layers that have to be saved before the command can read them."""
    say: Callable[[str], str]
    """Puts a sentence into the user's language."""

    def given(self, name: str) -> bool:
        """Whether a parameter has a value at all."""
        value = self.parameters.get(name)
        empty = getattr(value, "isNull", None)
        return value not in (None, "", []) and not (empty is not None and empty())

    def read(self, kind: str, name: str) -> Any:
        """Return a parameter's value by one of QGIS's ``parameterAs...``."""
        definition = self.algorithm.parameterDefinition(name)
        read = getattr(QgsProcessingParameters, f"parameterAs{kind}")
        return read(definition, self.parameters, self.context)

    def fail(self, sentence: str, **parts: Any) -> QgsProcessingException:
        """Return the exception that tells a sentence."""
        return QgsProcessingException(self.say(sentence).format(**parts))


@dataclass(frozen=True)
class Option:
    """One parameter. Without a flag it is an argument, told by its place alone."""

    name: str
    title: str
    flag: str = ""
    advanced: bool = False
    needed: bool = False

    def definitions(self, say: Callable[[str], str]) -> list[QgsProcessingParameterDefinition]:
        """Return what QGIS shows for it."""
        return [self.marked(self.definition(say(self.title)))]

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        """Return QGIS's parameter."""
        raise NotImplementedError

    def marked(
        self, definition: QgsProcessingParameterDefinition
    ) -> QgsProcessingParameterDefinition:
        """Return a parameter where it belongs, among the advanced ones or not."""
        if self.advanced:
            definition.setFlags(definition.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
        return definition

    def words(self, asked: Asked) -> list[str]:
        """Return its part of the command line, empty where nothing was given."""
        if not asked.given(self.name):
            return []
        value = self.value(asked)
        return [f"{self.flag}={value}" if self.flag else value]

    def value(self, asked: Asked) -> str:
        """Return what was given as the command writes it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Raster(Option):
    """A picture of the project or of the disk, or a folder of tiles in a parameter of its own."""

    tiles: bool = True
    """Whether it may be such a folder."""

    def definitions(self, say: Callable[[str], str]) -> list[QgsProcessingParameterDefinition]:
        # A folder takes its place, so that it cannot be needed; `words` asks for one of the two.
        title = say(self.title)
        picture = QgsProcessingParameterRasterLayer(self.name, title, optional=True)
        if not self.tiles:
            return [self.marked(picture)]
        folder = QgsProcessingParameterFile(
            self.name + _FOLDER,
            say("{name}, a folder of tiles").format(name=title),
            behavior=QgsProcessingParameterFile.Folder,
            optional=True,
        )
        folder.setFlags(folder.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
        return [self.marked(picture), folder]

    def words(self, asked: Asked) -> list[str]:
        folder = self.name + _FOLDER
        title = asked.say(self.title)
        if asked.given(self.name) and asked.given(folder):
            sentence = "{name}: give a picture or a folder of tiles, not both."
            raise asked.fail(sentence, name=title)
        if asked.given(folder):
            value = str(Path(asked.read("File", folder)).absolute())
            return [f"{self.flag}={value}" if self.flag else value]
        if self.needed and not asked.given(self.name):
            sentence = "{name} is needed: a picture, or a folder of tiles."
            raise asked.fail(sentence, name=title)
        return super().words(asked)

    def value(self, asked: Asked) -> str:
        layer = asked.read("RasterLayer", self.name)
        path = None if layer is None else raster_path(layer)
        if path is None:
            sentence = "{name} is no raster file: save it to a GeoTIFF first."
            raise asked.fail(sentence, name=_called(layer, asked.parameters[self.name]))
        return path


@dataclass(frozen=True)
class Vector(Option):
    """A vector layer."""

    polygons: bool = True

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        kind = QgsProcessing.TypeVectorPolygon if self.polygons else QgsProcessing.TypeVector
        return QgsProcessingParameterVectorLayer(self.name, title, [kind], optional=True)

    def value(self, asked: Asked) -> str:
        layer = asked.read("VectorLayer", self.name)
        if layer is None:
            name = asked.parameters[self.name]
            raise asked.fail("{name} cannot be read as a layer.", name=name)
        return _as_file(layer, self.name.lower(), asked)


@dataclass(frozen=True)
class Protected(Option):
    """Layers of protected ground, each under its name in the project."""

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        kind = QgsProcessing.TypeVectorPolygon
        return QgsProcessingParameterMultipleLayers(self.name, title, kind, optional=True)

    def words(self, asked: Asked) -> list[str]:
        if not asked.given(self.name):
            return []
        layers = asked.read("LayerList", self.name)
        found = []
        for number, layer in enumerate(layers, start=1):
            source = _as_file(layer, f"{self.name.lower()}_{number}", asked)
            name = _plain_name(layer.name()) or f"{self.name.lower()} {number}"
            found.append(f"{self.flag}={name}={source}")
        return found


@dataclass(frozen=True)
class File(Option):
    """A file, or a folder."""

    # QGIS's own default, *.*, refuses names without an ending.
    filter: str = "(*)"
    folder: bool = False

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        kind = QgsProcessingParameterFile
        definition = kind(
            self.name,
            title,
            kind.Folder if self.folder else kind.File,
            optional=not self.needed,
        )
        if not self.folder:
            definition.setFileFilter(self.filter)
        return definition

    def value(self, asked: Asked) -> str:
        return str(Path(asked.read("File", self.name)).absolute())


@dataclass(frozen=True)
class Number(Option):
    """A number within limits."""

    least: float = -1e300
    most: float = 1e300
    whole: bool = False

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        kind = (
            QgsProcessingParameterNumber.Integer
            if self.whole
            else QgsProcessingParameterNumber.Double
        )
        return QgsProcessingParameterNumber(
            self.name, title, kind, None, True, self.least, self.most
        )

    def value(self, asked: Asked) -> str:
        return str(asked.read("Int" if self.whole else "Double", self.name))


@dataclass(frozen=True)
class Day(Option):
    """A calendar day."""

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        kind = QgsProcessingParameterDateTime.Date
        return QgsProcessingParameterDateTime(self.name, title, kind, None, True)

    def value(self, asked: Asked) -> str:
        return asked.read("Date", self.name).toString(Qt.DateFormat.ISODate)


@dataclass(frozen=True)
class Choice(Option):
    """One of several; the first means that the command decides."""

    choices: tuple[tuple[str, str], ...] = ()
    """The command's word and the title of each, the first word empty."""

    def definitions(self, say: Callable[[str], str]) -> list[QgsProcessingParameterDefinition]:
        titles = [say(title) for _, title in self.choices]
        return [
            self.marked(
                QgsProcessingParameterEnum(self.name, say(self.title), titles, defaultValue=0)
            )
        ]

    def words(self, asked: Asked) -> list[str]:
        word = self.choices[asked.read("Enum", self.name)][0]
        return [f"{self.flag}={word}"] if word else []


@dataclass(frozen=True)
class Switch(Option):
    """Yes or no."""

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        return QgsProcessingParameterBoolean(self.name, title, False)

    def words(self, asked: Asked) -> list[str]:
        return [self.flag] if asked.read("Boolean", self.name) else []


@dataclass(frozen=True)
class Text(Option):
    """A word."""

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        return QgsProcessingParameterString(self.name, title, None, False, True)

    def value(self, asked: Asked) -> str:
        return asked.read("String", self.name)


@dataclass(frozen=True)
class Crs(Option):
    """A coordinate reference system, of the EPSG register or of the user's own making."""

    def definition(self, title: str) -> QgsProcessingParameterDefinition:
        return QgsProcessingParameterCrs(self.name, title, None, True)

    def value(self, asked: Asked) -> str:
        crs = asked.read("Crs", self.name)
        if crs.authid().startswith("EPSG:"):
            return crs.authid()
        return crs.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED)


def _as_file(layer: QgsVectorLayer, name: str, asked: Asked) -> str:
    """Return a layer as the command names it, saved first where it has to be."""
    source = plain_source(layer)
    if source is not None:
        return source
    target = asked.folder / f"{name}.gpkg"
    try:
        save_layer(layer, target, asked.context.transformContext())
    except QgsProcessingException as error:
        sentence = "{name} could not be saved for the command: {reason}"
        raise asked.fail(sentence, name=layer.name(), reason=error) from error
    sentence = asked.say("{name} is handed over as it stands in QGIS, {count} features.")
    asked.feedback.pushInfo(sentence.format(name=layer.name(), count=layer.featureCount()))
    return str(target)


def _called(layer: Any, value: Any) -> str:
    return str(value) if layer is None else layer.name()


def _plain_name(name: str) -> str:
    """Return a layer's name as the command allows names of protected ground."""
    kept = "".join(sign if sign.isprintable() and sign not in ";=|" else " " for sign in name)
    return " ".join(kept.split())[:_NAME_LENGTH].strip()
