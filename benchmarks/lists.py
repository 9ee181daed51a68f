"""Lists of many suspects with pictures of their own, made up; written in a process of its own."""

import json
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
from PIL import Image
from pyproj import CRS
from shapely import box

from benchmarks.measures import cpu_seconds
from change.export.csv_list import write_csv
from change.export.dossier import CHIP_INDEX, CHIPS, Dossier, make_dossier
from change.export.gpx import write_gpx
from change.export.kmz import write_kmz
from change.export.table import ListStyle
from change.export.workbook import write_workbook

__all__ = ["SUSPECTS", "WRITERS", "in_a_process", "many_suspects"]

SUSPECTS = 5_000
"""A street logs 2 000 to 2 500 a year."""

_PICTURE_PX, _QUALITY, _APART_M = 280, 78, 60.0
_STYLE = ListStyle(languages=("zh_CN", "en"), navigation="amap", pictures=True)
_ROOT = Path(__file__).parent.parent
_RECORD = {"run_id": "0" * 16, "flights": {"after": {"flown_on": "2025-12-13"}}}

WRITERS = {
    "xlsx": lambda dossier, path: write_workbook(dossier, path, _STYLE),
    "xlsx by township": lambda dossier, path: write_workbook(dossier, path, _STYLE, by="township"),
    "csv": lambda dossier, path: write_csv(dossier, path, _STYLE),
    "kmz": lambda dossier, path: write_kmz(dossier, path, _STYLE),
    "gpx": lambda dossier, path: write_gpx(dossier, path, _STYLE),
}
"""What is measured."""


def many_suspects(folder: Path, count: int = SUSPECTS) -> Dossier:
    """Return suspects with two pictures each; the pictures are made where there are none."""
    rng = np.random.Generator(np.random.PCG64(7))
    names = [f"{number:012x}" for number in range(count)]
    side = int(np.ceil(np.sqrt(count)))
    rows, shapes = [], []
    for number, name in enumerate(names):
        x, y = 537_000 + _APART_M * (number % side), 2_556_000 + _APART_M * (number // side)
        wide, high = rng.uniform(4, 30, 2)
        shapes.append(box(x, y, x + wide, y + high))
        rows.append(_row(name, number, wide * high))
    if not (folder / CHIPS / CHIP_INDEX).exists():
        _draw(folder, names, rng)
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=CRS.from_epsg(4547))
    return make_dossier(frame, _RECORD, folder)


def _row(name: str, number: int, area: float) -> dict[str, object]:
    return {
        "id": name,
        "kind": ("building", "shed", "roof_addition")[number % 3],
        "origin": "new",
        "reason": ("no_permit", "beside_permit", "grown_beyond_permit")[number % 3],
        "reasons": "too_high;temporary" if number % 3 == 1 else "",
        "area_m2": round(area, 1),
        "excess_m2": round(area / 2, 1),
        "height_gain_m": 3.4,
        "score": 0.912,
        "severity": round(99.0 - 99.0 * number / SUSPECTS, 1),
        "permit_number": f"GH-2025-{number:04d}",
        "cell": f"44990100{number % 3}000{number % 999:03d}",
        "township": f"镇{number % 20:02d}",
        "community": f"第{number % 90}社区",
        "team": f"Team {number % 40}",
        "flown_before": "2025-03-15",
        "flown_after": "2025-12-13",
        "why_en": f"No permit covers this: building of {area:.0f} m². " * 5,
        "why_zh": f"没有许可覆盖此处：房屋，{area:.0f} 平方米。" * 5,
        "run_id": _RECORD["run_id"],
    }


def _draw(folder: Path, names: list[str], rng: np.random.Generator) -> None:
    """Write pictures that are as large as real ones and all different."""
    marked = folder / CHIPS / "marked"
    marked.mkdir(parents=True, exist_ok=True)
    rough = rng.integers(60, 190, (70, 70, 3), dtype=np.uint8)
    blurred = np.asarray(Image.fromarray(rough).resize((_PICTURE_PX, _PICTURE_PX)), dtype=np.int16)
    noise = rng.integers(-12, 12, blurred.shape)
    Image.fromarray((blurred + noise).astype(np.uint8)).save(marked / "one.jpg", quality=_QUALITY)
    content = (marked / "one.jpg").read_bytes()
    (marked / "one.jpg").unlink()
    for name in names:
        for role in ("before", "after"):
            # What follows the end of a JPEG is not shown, but makes it another file.
            (marked / f"{name}_{role}.jpg").write_bytes(content + f"{name}{role}".encode())
    chip = {"left": 0.0, "top": 0.0, "pixel_m": 0.1, "side_px": 480, "roles": ["before", "after"]}
    index = {"version": 1, "chips": dict.fromkeys(names, chip)}
    (folder / CHIPS / CHIP_INDEX).write_text(json.dumps(index), encoding="utf-8")


@lru_cache
def in_a_process(form: str, folder: Path) -> tuple[float, float, float]:
    """Return CPU seconds, peak memory (MB) and size of the file (MB) of one of ``WRITERS``."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.lists", form, str(folder)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, memory, size = map(float, done.stdout.split())
    return seconds, memory, size


def _measure(form: str, folder: Path) -> None:
    dossier, target = many_suspects(folder), folder / "list"
    start = cpu_seconds()
    WRITERS[form](dossier, target)
    seconds = cpu_seconds() - start
    status = Path("/proc/self/status").read_text()
    # VmHWM and not ru_maxrss: see measures.py.
    memory = int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024
    print(f"{seconds:.2f} {memory:.0f} {target.stat().st_size / 2**20:.1f}")


if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
