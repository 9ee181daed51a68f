"""Vector layers: any file GDAL reads, as clean outlines in metres, with every flaw accounted for.

Permits, townships, unit grids and the area to look at (``--within``) all come in through here::

    what the user typed --sources, delimited, parquet, database--> one table
                        --encodings--> text
                        --control_points, placement, strays--> its CRS
                        --polygons---> outlines and bad rows

Nothing is guessed without a sentence in ``LayerRead.assumptions``; no row vanishes without a
``BadRow``.
"""

from change.layers.database import is_database, shown_database
from change.layers.placement import Area
from change.layers.polygons import BadRow
from change.layers.reading import REACH_M, LayerRead, read_layer, states_crs

__all__ = [
    "REACH_M",
    "Area",
    "BadRow",
    "LayerRead",
    "is_database",
    "read_layer",
    "shown_database",
    "states_crs",
]
