"""The lists of 5 000 suspects with pictures: CPU seconds and memory."""

from pathlib import Path

import pytest

from benchmarks.lists import SUSPECTS, WRITERS, in_a_process, many_suspects
from benchmarks.measures import Measure
from benchmarks.pairs import SIDES_PX

LARGE_PX = SIDES_PX[-1]

every_form = pytest.mark.parametrize("form", WRITERS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("lists")
    many_suspects(made)
    return made


@every_form
def test_write(measure: Measure, folder: Path, form: str) -> None:
    dossier = many_suspects(folder)
    measure(
        f"{form} of {SUSPECTS} suspects",
        lambda: WRITERS[form](dossier, folder / "list"),
        side_px=LARGE_PX,
        overviews=False,
    )


@every_form
def test_memory(remember: Measure, folder: Path, form: str) -> None:
    remember(
        f"{form} of {SUSPECTS} suspects",
        lambda: in_a_process(form, folder)[1],
        side_px=LARGE_PX,
        overviews=False,
    )
