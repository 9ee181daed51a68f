"""Navigation: links that a phone's map opens at a place. Pure.

Maps in China show another datum (GCJ-02). Coordinates leave here in WGS 84 and say so, and the
vendor moves them: ``position=lon,lat`` with ``coordinate=wgs84`` (lbs.amap.com, URI API, marker),
``coord:lat,lng`` with ``coord_type=1`` (lbs.qq.com, URI API, marker).
"""

from urllib.parse import quote

__all__ = ["navigation_link"]


def navigation_link(vendor: str, *, lon: float, lat: float, name: str) -> str | None:
    """Return the link to a place; None where none is wanted.

    Parameters
    ----------
    vendor
        One of ``survey.settings.NAVIGATIONS``; ``geo`` is RFC 5870.
    lon, lat
        Degrees, WGS 84.
    name
        What the map is to call the place.

    Examples
    --------
    >>> navigation_link("geo", lon=113.37, lat=23.1, name="a1")
    'geo:23.1000000,113.3700000'
    >>> navigation_link("none", lon=113.37, lat=23.1, name="a1") is None
    True
    """
    called = quote(name, safe="")
    links = {
        "amap": "https://uri.amap.com/marker"
        f"?position={lon:.7f},{lat:.7f}&name={called}&src=orthowatch&coordinate=wgs84&callnative=1",
        "tencent": "https://apis.map.qq.com/uri/v1/marker"
        f"?marker=coord:{lat:.7f},{lon:.7f};title:{called}&coord_type=1&referer=orthowatch",
        "geo": f"geo:{lat:.7f},{lon:.7f}",
    }
    return links.get(vendor)
