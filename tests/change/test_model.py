"""The shipped model and others: what they take, what they give, what is refused."""

import numpy as np
import pytest

from change.model.detector import (
    Detector,
    look,
    look_for_roofs,
    open_detector,
    shipped_detector,
)
from change.model.manifest import MAPS, read_manifest
from survey.errors import DetectorError
from tests.onnx_files import write_convolution

MANIFEST = """
name = "redder"
pixel_m = 0.5
multiple_px = 4
inputs = ["picture"]
maps = ["changed"]
output = "none"
"""
# The red band of the later picture.
REDDER = [[0, 0, 0, 1, 0, 0]]


def other(folder, manifest=MANIFEST, weights=REDDER, inputs=("picture",)):
    path = write_convolution(folder / "redder.onnx", weights, inputs=inputs)
    path.with_suffix(".toml").write_text(manifest, encoding="utf-8")
    return path


def picture(side=64, value=0):
    return np.full((3, side, side), value, np.uint8)


def maps_of(detector, before, after, pixel_m):
    return look(detector, before, after, pixel_m, np.ones(before.shape[1:], bool))


def test_the_shipped_model_gives_every_map_at_the_size_of_the_pictures():
    maps = maps_of(shipped_detector(), picture(70), picture(70), 0.2)
    assert tuple(maps) == MAPS
    assert all(band.shape == (70, 70) for band in maps.values())
    assert all(((band >= 0) & (band <= 1)).all() for band in maps.values())


def test_exchanging_the_pictures_exchanges_the_maps():
    rng = np.random.default_rng(3)
    one, two = rng.integers(0, 255, (2, 3, 96, 96), dtype=np.uint8)
    there, back = (
        maps_of(shipped_detector(), one, two, 0.2),
        maps_of(shipped_detector(), two, one, 0.2),
    )
    assert np.allclose(there["appeared"], back["gone"], atol=1e-5)
    assert np.allclose(there["roof_before"], back["roof_after"], atol=1e-5)


def test_pictures_of_other_pixels_are_brought_to_the_models():
    maps = maps_of(shipped_detector(), picture(40), picture(40), 0.5)
    assert maps["appeared"].shape == (40, 40)


def test_another_model_is_run_by_its_manifest(tmp_path):
    detector = open_detector(other(tmp_path))
    assert detector.gives == ("appeared", "gone")
    before, after = picture(), picture()
    after[0, :32] = 255
    maps = maps_of(detector, before, after, 0.5)
    assert maps["appeared"][:31].min() == maps["gone"][:31].min() == 1
    assert maps["appeared"][33:].max() == 0


def test_scale_and_offset_are_told_by_the_manifest(tmp_path):
    halved = MANIFEST + "scale = [0.002, 1, 1]\noffset = [0.25, 0, 0]\n"
    after = picture()
    after[0] = 100
    maps = maps_of(open_detector(other(tmp_path, halved)), picture(), after, 0.5)
    assert np.allclose(maps["appeared"], 0.45)


def test_two_inputs_are_named(tmp_path):
    text = MANIFEST.replace('["picture"]', '["one", "two"]')
    detector = open_detector(other(tmp_path, text, inputs=("one", "two")))
    after = picture(value=255)
    assert maps_of(detector, picture(), after, 0.5)["gone"].min() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name =", "title ="), "title"),
        (("pixel_m = 0.5", 'pixel_m = "0.5"'), "pixel_m"),
        (("pixel_m = 0.5", "pixel_m = 0"), "pixel_m"),
        (("pixel_m = 0.5", ""), "pixel_m"),
        (('["changed"]', '["houses"]'), "maps"),
        (('["changed"]', '["-"]'), "maps"),
        (('"none"', '"softmax"'), "output"),
        (('"none"', '"none"\nscale = [1.0]'), "scale"),
        (('"none"', '"none"\nscale = nan'), "scale"),
        (('"none"', '"none"\noffset = 1e38'), "offset"),
        (('["picture"]', "[]"), "inputs"),
        (('["picture"]', '"picture"'), "inputs"),
        (('"none"', '"none"\nagain = 1'), "again"),
        (('["changed"]', '["roof_before", "roof_after"]'), "maps: appeared and gone, or changed"),
        (('["changed"]', '["appeared", "-"]'), "maps"),
        (('["changed"]', '["changed", "gone"]'), "maps"),
        (('["changed"]', '["appeared", "gone", "gone"]'), "maps"),
        (("px = 4", "px = 2.5"), "multiple_px: a whole number"),
        (("name", "name = ="), "cannot be read"),
        (('["changed"]', '["appeared", "gone"]'), "2 maps"),
        (('["picture"]', '["photo"]'), "cannot be run"),
        (('"none"', '"none"\nscale = 1.0'), "no probabilities"),
        (('"none"', '"none"\noffset = -1'), "no probabilities"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_in_one_line(tmp_path, change, told, capfd):
    path = other(tmp_path, MANIFEST.replace(*change))
    with pytest.raises(DetectorError, match=told) as refused:
        open_detector(path)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("step", [1, 4, 16])
def test_a_model_that_cannot_take_such_sides_is_refused_before_it_is_needed(tmp_path, step, capfd):
    shipped = shipped_detector().path
    path = tmp_path / shipped.name
    path.write_bytes(shipped.read_bytes())
    text = shipped.with_suffix(".toml").read_text(encoding="utf-8")
    path.with_suffix(".toml").write_text(text.replace("px = 32", f"px = {step}"), encoding="utf-8")
    with pytest.raises(DetectorError, match="cannot be run on") as refused:
        open_detector(path)
    assert "/" not in str(refused.value).partition("pixels:")[2]
    assert capfd.readouterr() == ("", "")


def test_what_is_no_number_is_not_taken_for_nothing_found(tmp_path):
    path = other(tmp_path, weights=[[0, 0, 0, np.nan, 0, 0]])
    untried = Detector(path=path, manifest=read_manifest(path.with_suffix(".toml")), digest="")
    with pytest.raises(DetectorError, match="no probabilities"):
        maps_of(untried, picture(), picture(value=255), 0.5)


def test_another_model_looks_again_where_its_manifest_says_so(tmp_path):
    after = picture()
    after[0, 20:40, 20:40] = 255
    maps = [
        maps_of(open_detector(other(tmp_path, text)), picture(), after, 0.5)
        for text in (MANIFEST, MANIFEST + "again = true\n")
    ]
    # A model that looks at each pixel alone does not mind how the picture is turned.
    assert np.allclose(maps[0]["appeared"], maps[1]["appeared"], atol=1e-5)
    assert maps[1]["appeared"][30, 30] != 1


def test_files_that_are_no_models_are_refused(tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(DetectorError, match="cannot be read"):
        open_detector(path)
    path.write_bytes(b"no model")
    with pytest.raises(DetectorError, match="manifest"):
        open_detector(path)
    path.with_suffix(".toml").write_text(MANIFEST, encoding="utf-8")
    with pytest.raises(DetectorError, match="no ONNX file"):
        open_detector(path)


@pytest.mark.parametrize("edge", ["side", "corner"])
def test_what_lies_beyond_the_edge_of_the_seen_says_nothing(edge):
    rng = np.random.default_rng(4)
    one, two = rng.integers(0, 255, (2, 3, 96, 96), dtype=np.uint8)
    seen = np.ones((96, 96), bool)
    seen[:, 60:] = False
    if edge == "corner":
        seen = np.add.outer(np.arange(96), np.arange(96)) < 120
    maps = []
    for value in (0, 255):
        shown = [np.where(seen, picture, np.uint8(value)) for picture in (one, two)]
        maps.append(look(shipped_detector(), *shown, 0.2, seen))
    assert all((maps[0][name] == maps[1][name]).all() for name in MAPS)


def test_pictures_go_on_mirrored_beyond_the_edge_of_the_seen():
    rng = np.random.default_rng(5)
    half = rng.integers(0, 255, (3, 96, 48), dtype=np.uint8)
    whole = np.concatenate([half, half[:, :, ::-1]], axis=2)
    cut = whole.copy()
    cut[:, :, 48:] = 0
    seen = np.zeros((96, 96), bool)
    seen[:, :48] = True
    # Mirrored about the last seen pixel, not about its rim: one pixel apart.
    there = maps_of(shipped_detector(), whole, whole, 0.2)
    here = look(shipped_detector(), cut, cut, 0.2, seen)
    assert np.abs(there["roof_before"] - here["roof_before"])[:, :32].max() < 0.1


def test_roofs_of_one_picture_turn_with_the_picture():
    rng = np.random.default_rng(6)
    colour = (90 + rng.normal(0, 6, (3, 128, 160))).astype(np.uint8)
    colour[:, 30:80, 40:120] = np.array([190, 185, 180])[:, None, None]
    turned = np.ascontiguousarray(colour[:, ::-1, ::-1])
    all_of_it = np.ones((128, 160), bool)
    upright, upside_down = (
        look_for_roofs(shipped_detector(), one, 0.2, all_of_it) for one in (colour, turned)
    )
    assert np.allclose(upright, upside_down[::-1, ::-1], atol=1e-5)
    assert upright[35:75, 45:115].mean() > 0.5 > upright[90:].mean()


def test_roofs_of_one_picture_do_not_see_beyond_its_edge():
    colour = np.random.default_rng(7).integers(0, 255, (3, 96, 96), dtype=np.uint8)
    seen = np.add.outer(np.arange(96), np.arange(96)) < 120
    roofs = [
        look_for_roofs(shipped_detector(), np.where(seen, colour, np.uint8(value)), 0.2, seen)
        for value in (0, 255)
    ]
    assert (roofs[0] == roofs[1]).all()


def test_nothing_seen_is_no_reason_to_fail():
    nothing = np.zeros((64, 64), bool)
    maps = look(shipped_detector(), picture(), picture(), 0.2, nothing)
    assert all(band.shape == (64, 64) for band in maps.values())
    assert not look_for_roofs(shipped_detector(), picture(), 0.2, nothing).any()
