"""Dossiers made up for tests: as many suspects as wanted, with pictures or without."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from PIL import Image
from pyproj import CRS
from shapely import box
from shapely.affinity import rotate

from change.explanation import KIND_WORDS
from change.export.dossier import CHIP_INDEX, CHIPS, Dossier, make_dossier
from change.export.geojson import COLUMNS

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=1+1",
    '=HYPERLINK("http://x.invalid","x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "a\x00b\x0bc",
    "]]></name><x>",
    "{{ 7*7 }}",
    "${alert(1)}",
    "\u202egnp.exe",
    "😀建筑🏗",
    "长" * 10_000,
    "tab\tline\nbreak",
    "'; DROP TABLE suspects; --",
    "</script><script>alert(2)</script>",
    "javascript:alert(1)",
    "%s %n {0}",
    "",
)
"""Text that no output may take for anything but text."""

RECORD = {
    "generator": "orthowatch",
    "run_id": "0123456789abcdef",
    "version": "0.1.0",
    "started": "2026-01-02T03:04:05+00:00",
    "finished": "2026-01-02T03:05:05+00:00",
    "inputs": [
        {"role": "before", "name": "2025-03-15_ortho.tif", "size": 1, "sha256": "a" * 64},
        {"role": "after", "name": "2025-12-13_ortho.tif", "size": 1, "sha256": "b" * 64},
    ],
    "settings": {},
    "options": {},
    "crs": "EPSG:4547",
    "flights": {
        "before": {"name": "2025-03-15_ortho.tif", "flown_on": "2025-03-15", "pixel_m": 0.1},
        "after": {"name": "2025-12-13_ortho.tif", "flown_on": "2025-12-13", "pixel_m": 0.1},
    },
    "alignment": {"verdict": "verified", "why": "100 of 120 windows agree to 0.02 m"},
    "assumptions": [],
    "findings": [],
}


def made_up(
    folder: Path, count: int, *, pictures: bool = False, texts: tuple[str, ...] = ()
) -> Dossier:
    """Return a dossier of ``count`` suspects in ``folder``; ``texts`` take turns as attributes."""
    frame = suspects(count, texts)
    if pictures:
        draw_chips(frame, folder)
    return make_dossier(frame, RECORD, folder)


def suspects(count: int, texts: tuple[str, ...] = ()) -> gpd.GeoDataFrame:
    rng = np.random.Generator(np.random.PCG64(7))
    kinds = list(KIND_WORDS)[:6]
    side = int(np.ceil(np.sqrt(count)))
    rows, shapes = [], []
    for n in range(count):
        x, y = 537_000 + 60.0 * (n % side), 2_556_000 + 60.0 * (n // side)
        wide, high = rng.uniform(4, 30, 2)
        shapes.append(rotate(box(x, y, x + wide, y + high), rng.uniform(0, 90)))
        text = texts[n % len(texts)] if texts else f"GH-2025-{n:04d}"
        rows.append(_row(n, kinds[n % len(kinds)], wide * high, text, bool(texts)))
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=list(COLUMNS)), geometry=shapes, crs=CRS.from_epsg(4547)
    )


def _row(n: int, kind: str, area: float, text: str, everywhere: bool) -> dict[str, object]:
    none, grown = n % 3 == 0, n % 3 == 1
    return {
        "id": f"{n:012x}",
        "kind": kind,
        "origin": "new",
        "reason": "no_permit" if none else "grown_beyond_permit" if grown else "beside_permit",
        "reasons": "too_high;temporary" if grown else "",
        "area_m2": round(area, 1),
        "area_raw_m2": round(area * 1.01, 1),
        "height_gain_m": None if n % 5 == 0 else round(2.5 + n % 7, 1),
        "score": round(0.99 - (n % 40) / 100, 3),
        "severity": round(90.0 - (n % 60), 1),
        "permit_number": None if none else text,
        "permit_cover": None if none else 0.4,
        "excess_m2": round(area / 2, 1),
        "excess_m": 3.2,
        "storeys_gained": "1-2" if n % 5 else None,
        "nearest_permits": f"{text} (3.1 m, 40%)".replace(";", ","),
        "not_judged": "height" if n % 5 == 0 else "",
        "protected": text if everywhere else "farmland (20%)" if n % 4 == 0 else "",
        "points": "reason 35;size 12.5;certainty 9.8",
        "unit": f"44990100{n % 3}",
        "cell": f"44990100{n % 3}000{n % 9:03d}",
        "township": text if everywhere else ("东风镇", "河西街道", "北岭镇")[n % 3],
        "community": text if everywhere else f"第{n % 4 + 1}社区",
        "team": f"Team {n % 2 + 1}",
        "flown_before": "2025-03-15",
        "flown_after": "2025-12-13",
        "verdict": "verified",
        "tolerance_m": 0.12,
        "permit_tolerance_m": 0.62,
        "why_en": f"No permit covers this: {kind} of {area:.0f} m². {text if everywhere else ''}",
        "why_zh": f"无许可覆盖：{area:.0f} 平方米。{text if everywhere else ''}",
        "run_id": RECORD["run_id"],
    }


def draw_chips(frame: gpd.GeoDataFrame, folder: Path) -> None:
    """Write pictures of noise for every suspect, as a run would."""
    rng = np.random.Generator(np.random.PCG64(8))
    (folder / CHIPS / "marked").mkdir(parents=True)
    noise = [
        Image.fromarray(rng.integers(90, 160, (480, 480, 3), dtype=np.uint8)) for _ in range(2)
    ]
    index = {}
    for name, outline in zip(frame["id"], frame.geometry, strict=True):
        for picture, role in zip(noise, ("before", "after"), strict=True):
            picture.save(folder / CHIPS / f"{name}_{role}.jpg", quality=60)
            small = picture.resize((320, 320))
            small.save(folder / CHIPS / "marked" / f"{name}_{role}.jpg", quality=60)
        index[name] = {
            "left": outline.centroid.x - 24.0,
            "top": outline.centroid.y + 24.0,
            "pixel_m": 0.1,
            "side_px": 480,
            "roles": ["before", "after"],
            "profile": {
                "distance_m": [0.0, 4.0, 8.0, 12.0],
                "before_m": [10.0, 10.1, None, 10.0],
                "after_m": [10.0, 13.4, 13.5, 10.1],
            },
        }
    text = json.dumps({"version": 1, "chips": index})
    (folder / CHIPS / CHIP_INDEX).write_text(text, encoding="utf-8")
