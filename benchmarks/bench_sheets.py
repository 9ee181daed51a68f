"""The sheets: pages a minute and memory, with pictures, in Chinese and English."""

import multiprocessing
import resource
from pathlib import Path

import pytest

from benchmarks.measures import cpu_seconds
from change.export.dossier import Dossier
from change.export.sheets import SheetStyle, write_sheets_html, write_sheets_pdf
from tests.dossiers import made_up

# A large township; more suspects are split over several files.
SHEETS = 500
# What is asked for: sheets a minute of CPU time, and MB.
LEAST_A_MINUTE, MOST_MB = 500, 1500
BOTH = SheetStyle(languages=("zh_CN", "en"), navigation="amap")


@pytest.fixture(scope="module")
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    return made_up(tmp_path_factory.mktemp("sheets"), SHEETS, pictures=True)


def minutes(write: object, dossier: Dossier, path: Path) -> float:
    assert callable(write)
    start = cpu_seconds()
    write(dossier, path, BOTH)
    return (cpu_seconds() - start) / 60


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_sheets_pdf, "sheets.pdf"), (write_sheets_html, "sheets.html")],
    ids=["pdf", "html"],
)
def test_sheets_a_minute(dossier: Dossier, tmp_path: Path, write: object, name: str) -> None:
    rate = SHEETS / minutes(write, dossier, tmp_path / name)
    print(f"{name}: {rate:.0f} sheets a minute of CPU time")
    assert rate > LEAST_A_MINUTE


def _peak_mb(dossier: Dossier, path: Path, answer: "multiprocessing.Queue[float]") -> None:
    write_sheets_pdf(dossier, path, BOTH)
    answer.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def test_memory_of_a_township(dossier: Dossier, tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[float] = spawned.Queue()
    process = spawned.Process(target=_peak_mb, args=(dossier, tmp_path / "sheets.pdf", answer))
    process.start()
    peak = answer.get()
    process.join()
    print(f"{SHEETS} sheets: {peak:.0f} MB")
    assert peak < MOST_MB
