# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of QGIS as files that the command can read.

What is plainly a file goes to the command as that file. What the map shows differently (filtered,
joined, edited, given another CRS) or keeps elsewhere (in memory, in a database) is saved to a
GeoPackage first, as the map shows it.
"""

from __future__ import annotations

from pathlib import Path

from osgeo import gdal
from qgis.core import (
    QgsCoordinateTransformContext,
    QgsProcessingException,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

__all__ = ["plain_source", "raster_path", "save_layer"]

# A GeoPackage holds the moment it was written. The run record holds its hash, and the same layer is
# to give the same record.
_MOMENT = "1980-01-01T00:00:00.000Z"
_OF_QGIS = "orthowatch_fid"


def raster_path(layer: QgsRasterLayer) -> str | None:
    """Return the file of a raster; None where it is none, as of a web service."""
    if layer.providerType() != "gdal":
        return None
    parts = QgsProviderRegistry.instance().decodeUri("gdal", layer.source())
    path = Path(parts.get("path") or "")
    return str(path.absolute()) if path.is_file() and not parts.get("layerName") else None


def plain_source(layer: QgsVectorLayer) -> str | None:
    """Return ``FILE`` or ``FILE|layername=NAME``; None where a layer is more than that."""
    if layer.providerType() != "ogr" or _changed(layer):
        return None
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    path, name = Path(parts.get("path") or ""), parts.get("layerName")
    if not path.is_file() or any(parts.get(key) for key in ("subset", "geometryType")):
        return None
    if parts.get("openOptions") or (parts.get("layerId") and not name):
        return None
    return f"{path.absolute()}|layername={name}" if name else str(path.absolute())


def _changed(layer: QgsVectorLayer) -> bool:
    """Whether the map shows something other than the file holds."""
    provider = layer.dataProvider()
    return bool(
        layer.subsetString()
        or (layer.isEditable() and layer.isModified())
        or layer.crs() != provider.crs()
        or layer.fields().count() != provider.fields().count()
    )


def save_layer(
    layer: QgsVectorLayer, target: Path, transforms: QgsCoordinateTransformContext
) -> None:
    """Save a layer as the map shows it to a GeoPackage.

    Raises
    ------
    QgsProcessingException
        It could not be written, with the reason.
    """
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = target.stem
    options.fileEncoding = "UTF-8"
    # A column of the layer's own may be called fid and hold anything.
    options.layerOptions = [f"FID={_OF_QGIS}"]
    before = gdal.GetConfigOption("OGR_CURRENT_DATE")
    gdal.SetConfigOption("OGR_CURRENT_DATE", _MOMENT)
    try:
        code, reason, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(
            layer, str(target), transforms, options
        )
    finally:
        gdal.SetConfigOption("OGR_CURRENT_DATE", before)
    if code != QgsVectorFileWriter.NoError:
        raise QgsProcessingException(reason)
