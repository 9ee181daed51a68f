"""Evidence layers: the picture shows what the numbers say."""

import numpy as np
import pytest
from PIL import Image

from change.export.evidence_layers import draw_evidence
from change.model.detector import shipped_detector
from tests.samples import run_pair


@pytest.fixture(scope="module")
def result():
    return run_pair(0, 3)


@pytest.fixture(scope="module")
def drawn(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("evidence") / "evidence.png"
    draw_evidence(path, result.pair, shipped_detector(), result.suspects)
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def square(drawn, row, col, item):
    """Return the middle of a square of the sheet, of a small structure no more than itself."""
    across = 5 * item.change.area_m2**0.5  # the squares of small ones are 40 m and 200 pixels wide
    half = min(15, int(0.3 * across))
    middle, centre = 30 + row * 206 + 100, 44 + col * 206 + 100
    return drawn[middle - half : middle + half, centre - half : centre + half]


def test_six_rows_of_seven_layers(result, drawn):
    assert len(result.suspects) > 6
    assert drawn.shape == (30 + 6 * 206, 44 + 7 * 206, 3)


def test_what_gained_height_is_orange(result, drawn):
    suspects = enumerate(result.suspects[:6])
    grown = [(n, item) for n, item in suspects if item.change.kind == "building"]
    assert grown
    for row, item in grown:
        red, _green, blue = square(drawn, row, 6, item).reshape(-1, 3).mean(axis=0)
        assert red > blue + 40


def test_what_appeared_is_brighter_there_than_what_went(result, drawn):
    suspects = enumerate(result.suspects[:6])
    built = [(n, item) for n, item in suspects if item.change.kind == "building"]
    for row, item in built:
        appeared, went = (square(drawn, row, layer, item).mean() for layer in (4, 5))
        assert appeared > went + 20


def test_without_heights_there_is_no_such_layer(tmp_path):
    flat = run_pair(0, 3, heights=False)
    draw_evidence(tmp_path / "e.png", flat.pair, shipped_detector(), flat.suspects[:1])
    with Image.open(tmp_path / "e.png") as picture:
        assert picture.size == (44 + 6 * 206, 30 + 206)


def test_nobody_to_draw(result, tmp_path):
    draw_evidence(tmp_path / "e.png", result.pair, shipped_detector(), ())
    with Image.open(tmp_path / "e.png") as picture:
        assert picture.size == (44 + 2 * 206, 30 + 206)
