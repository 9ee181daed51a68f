"""Districts: townships, communities and cells, and how outlines lie on them.

::

    layer files --layer--> districts --claims--> who has an outline, and who shares it
                 a side in metres --squares--> drawn cells --numbering--> their codes
"""

from change.districts.claims import Share
from change.districts.layer import District, DistrictLayer

__all__ = ["District", "DistrictLayer", "Share"]
