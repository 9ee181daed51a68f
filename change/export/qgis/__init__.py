"""QGIS: styles, forms and the project that make the layers of a run readable at first sight.

Written by hand after what QGIS 3.22 writes, which later versions read: no QGIS is needed for it::

    handover --> project --> layout
                    |------> styles --> labels, forms, symbols --> expressions, wording, markup
"""

from change.export.qgis.handover import dress_inventory, dress_result

__all__ = ["dress_inventory", "dress_result"]
