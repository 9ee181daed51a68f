"""The overview picture: what was found is drawn where it lies, on both flights."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from shapely import box

from change.detection import Detection
from change.exclusion import Excluded
from change.explanation import REASON_WORDS
from change.export import drawn_words
from change.export.field_map import Place, draw_field_map
from change.export.overview import REASON_COLOURS, draw_overview
from change.suspicion import REASONS, Suspect, is_suspect
from survey.examination import examine
from survey.flight import open_flight
from survey.pair import make_pair
from survey.settings import Settings
from survey.words import _, spoken_in
from tests.strategies import make_change
from tests.survey.rasters import EAST, NORTH, north_up, scene, write
from tests.toy_fonts import PLAIN, toy_font

WIDEST = 2400
# Where the panels start on the page, and the gap between them.
LEFT, TOP, GAP = 24, 164, 16
NOTHING = Detection(changes=(), excluded=(), judged_m2=8500.0)


def make_flights(folder, *, height=480, width=480, moved_m=0.0):
    """Return a pair of one picture, the after flight displaced by ``moved_m`` to the east."""
    picture = scene(height, width)
    paths = [folder / "2025-03-15_揭东.tif", folder / "2025-06-14.tif"]
    for path, east in zip(paths, (EAST, EAST + moved_m), strict=True):
        write(path, picture, transform=north_up(0.2, east=east))
    return make_pair(*(examine(open_flight(path)) for path in paths), Settings())


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_flights(tmp_path_factory.mktemp("flights"), moved_m=3.0)


def suspect(x, y, *, reason="no_permit", side=8.0, kind="building"):
    """Return a square structure whose south-west corner lies (x, y) m from the flights' corner."""
    outline = box(EAST + x, NORTH - 96 + y, EAST + x + side, NORTH - 96 + y + side)
    return Suspect(
        change=make_change(outline, kind),
        reason=reason,
        points=(("reason", 50.0),),
    )


def draw(folder, pair, compared=(), detection=NOTHING):
    path = folder / "overview.png"
    draw_overview(path, pair, compared, detection)
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def bare(tmp_path_factory, pair):
    """Return the page of a pair in which nothing was found."""
    return draw(tmp_path_factory.mktemp("bare"), pair)


def panel_places(pair, x, y):
    """Return the (row, col) of a place on the ground in either panel."""
    bounds = pair.grid.bounds
    pixel = (bounds.right - bounds.left) / 1160
    col, row = (x - bounds.left) / pixel, (bounds.top - y) / pixel
    # The panel's own grid starts on a whole pixel, at most one further out.
    return [(TOP + row, LEFT + start + col) for start in (0, 1160 + GAP)]


def near(page, place, reach=3):
    row, col = (round(v) for v in place)
    return page[row - reach : row + reach + 1, col - reach : col + reach + 1].reshape(-1, 3)


def has(pixels, colour):
    return bool((pixels == np.array(colour)).all(axis=-1).any())


def test_every_suspicious_reason_has_a_colour_of_its_own():
    assert set(REASON_COLOURS) == {reason for reason in REASONS if is_suspect(reason)}
    assert len(set(REASON_COLOURS.values())) == len(REASON_COLOURS)


def test_outlines_have_their_reasons_colour_on_both_panels(tmp_path, pair):
    items = [suspect(10 + 13 * i, 40, reason=reason) for i, reason in enumerate(REASON_COLOURS)]
    page = draw(tmp_path, pair, items)
    for item in items:
        colour = REASON_COLOURS[item.reason]
        left, bottom, right, top = item.change.outline.bounds
        x, y = (left + right) / 2, (bottom + top) / 2
        for edge in ((left, y), (right, y), (x, bottom), (x, top)):
            for place in panel_places(pair, *edge):
                assert has(near(page, place), colour)
                assert has(near(page, place, reach=6), (255, 255, 255)), "a light halo"
        for place in panel_places(pair, x, y):
            assert not has(near(page, place, reach=20), colour)


def test_a_number_covers_no_structure(tmp_path, pair, bare):
    # The nearest places, east and west, are taken; north and south there is just room for it.
    around = [(48.5, 40), (31.5, 40), (40, 50.9), (40, 29.1)]
    items = [suspect(40, 40), *(suspect(x, y) for x, y in around)]
    page = draw(tmp_path, pair, items)
    for item in items:
        inside = item.change.outline.buffer(-0.8).bounds
        for top_left, bottom_right in zip(
            panel_places(pair, inside[0], inside[3]),
            panel_places(pair, inside[2], inside[1]),
            strict=True,
        ):
            rows = slice(round(top_left[0]), round(bottom_right[0]))
            cols = slice(round(top_left[1]), round(bottom_right[1]))
            np.testing.assert_array_equal(page[rows, cols], bare[rows, cols])


def test_both_panels_show_the_same_ground(pair, bare):
    """The after flight lies 3 m off; a picture taken without the alignment would not fit."""
    assert pair.alignment.verdict == "verified"
    before = bare[TOP + 100 : TOP + 1000, LEFT + 100 : LEFT + 1000]
    after = bare[TOP + 100 : TOP + 1000, LEFT + 1160 + GAP + 100 : LEFT + 1160 + GAP + 1000]
    # The panels' grid may be a pixel wider than 1160.
    differences = [np.abs(before - np.roll(after, -step, axis=1)).mean() for step in (0, 1)]
    assert min(differences) < 4


def test_a_page_without_suspects_says_so(tmp_path, pair, bare):
    assert bare.shape[1] <= WIDEST
    assert bare.shape[0] < 1500, "no strip of chips"
    assert not any(has(bare, colour) for colour in REASON_COLOURS.values())
    assert has(bare[:70], (20, 20, 20)), "a title"
    few = draw(tmp_path, pair, detection=replace(NOTHING, judged_m2=12.0))
    assert (few[:TOP] != bare[:TOP]).any(), "the ground that was judged is told"


def test_thirty_suspects_have_twenty_four_chips(tmp_path, pair, bare):
    reasons = list(REASON_COLOURS)
    items = [
        suspect(5 + 15 * (i % 6), 5 + 16 * (i // 6), reason=reasons[i % 6], side=6)
        for i in range(30)
    ]
    page = draw(tmp_path, pair, items)
    assert page.shape[1] == bare.shape[1] <= WIDEST
    rows = (page.shape[0] - bare.shape[0]) / (180 + 54 + 16)
    assert rows == pytest.approx(4, abs=0.4), "six chips a row, under a heading"


def test_the_same_input_gives_the_same_bytes(tmp_path, pair):
    items = [suspect(20, 20), suspect(50, 60, reason="exceeds_permit")]
    for name in ("one.png", "two.png"):
        draw_overview(tmp_path / name, pair, items, NOTHING)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("reason", "kind"), [("as_permitted", "building"), ("not_compared", "removed")]
)
def test_what_is_no_suspect_is_grey_and_has_no_chip(tmp_path, pair, bare, reason, kind):
    item = suspect(40, 40, reason=reason, kind=kind)
    page = draw(tmp_path, pair, [item])
    assert page.shape == bare.shape
    assert not any(has(page, colour) for colour in REASON_COLOURS.values())
    west = (item.change.outline.bounds[0], item.change.outline.centroid.y)
    for place in panel_places(pair, *west):
        assert has(near(page, place), (110, 110, 110))


def test_a_suspect_is_drawn_over_what_is_none(tmp_path, pair):
    both = [suspect(40, 40), suspect(40, 40, reason="as_permitted")]
    page = draw(tmp_path, pair, both)
    outline = both[0].change.outline
    for place in panel_places(pair, outline.bounds[0], outline.centroid.y):
        assert not has(near(page, place), (110, 110, 110))


def test_ground_that_was_not_judged_is_hatched(tmp_path, pair, bare):
    ground = box(EAST + 10, NORTH - 40, EAST + 40, NORTH - 10)
    unjudged = replace(NOTHING, excluded=(Excluded(outline=ground, reason="uncertain"),))
    page = draw(tmp_path, pair, detection=unjudged)
    changed = (page != bare).any(axis=-1)
    for place in panel_places(pair, ground.centroid.x, ground.centroid.y):
        row, col = (round(v) for v in place)
        assert changed[row - 20 : row + 20, col - 20 : col + 20].mean() > 0.9
    for place in panel_places(pair, EAST + 60, NORTH - 60):
        row, col = (round(v) for v in place)
        assert not changed[row - 20 : row + 20, col - 20 : col + 20].any()


@pytest.mark.parametrize(("height", "width"), [(300, 1500), (1500, 300)])
def test_long_areas_fit_the_page(tmp_path, height, width):
    pair = make_flights(tmp_path, height=height, width=width)
    page = draw(tmp_path, pair, [suspect(10, 70)])
    assert 1400 < page.shape[1] <= WIDEST
    assert page.shape[0] < 2200


def test_a_tiny_structure_is_still_seen(tmp_path, pair):
    item = suspect(40, 40, side=0.5)
    page = draw(tmp_path, pair, [item])
    centre = item.change.outline.centroid
    for place in panel_places(pair, centre.x, centre.y):
        ring = near(page, place, reach=14)
        assert (ring == REASON_COLOURS["no_permit"]).all(axis=-1).sum() > 40
        assert not has(near(page, place, reach=2), REASON_COLOURS["no_permit"])


def test_an_unverified_pair_is_told_apart(tmp_path, pair, bare):
    doubtful = replace(pair, alignment=replace(pair.alignment, verdict="unverified", rms_m=None))
    red = (176, 32, 0)
    assert has(draw(tmp_path, doubtful)[:TOP], red)
    assert not has(bare[:TOP], red)


@pytest.fixture
def only_fonts(tmp_path, monkeypatch):
    """Return the only folder in which fonts are looked for."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    monkeypatch.setattr(drawn_words, "font_folders", lambda: [folder])
    return folder


def test_without_a_font_for_chinese_the_pictures_are_the_english_ones(tmp_path, pair, only_fonts):
    toy_font("Latin", PLAIN).save(only_fonts / "Arial.ttf")
    items = [suspect(20, 20), suspect(50, 60, reason="exceeds_permit")]
    places = [Place(number=1, x=EAST + 40, y=NORTH - 40, residual_m=0.1)]
    for language in ("en", "zh_CN"):
        with spoken_in(language):
            draw_overview(tmp_path / f"{language}.png", pair, items, NOTHING)
            draw_field_map(tmp_path / f"{language}_map.png", pair, places)
    for name in ("{}.png", "{}_map.png"):
        english, chinese = (tmp_path / name.format(language) for language in ("en", "zh_CN"))
        assert english.read_bytes() == chinese.read_bytes()


def test_in_chinese_the_words_are_others_and_the_ground_is_the_same(tmp_path, pair, only_fonts):
    items = [suspect(20, 20), suspect(50, 60, reason="exceeds_permit")]
    english = draw(tmp_path, pair, items)
    with spoken_in("zh_CN"):
        words = "".join(map(_, REASON_WORDS.values()))
        toy_font("Toy", {*PLAIN, *words, *"疑似图斑许残误揭东"}).save(only_fonts / "SimHei.ttf")
        page, again = (draw(tmp_path, pair, items) for _time in range(2))
    np.testing.assert_array_equal(page, again)
    assert page.shape == english.shape, "no line needs more room"
    changed = (page != english).any(axis=-1)
    assert changed[TOP - 40 : TOP, LEFT : LEFT + 400].any(), "the name of the flight"
    # The first chip's note, under its two pictures.
    note = slice(page.shape[0] - 16 - 24, page.shape[0] - 16)
    assert changed[note, LEFT : LEFT + 100].any()
    for item in items:
        inside = item.change.outline.buffer(-0.8).bounds
        for place in panel_places(pair, (inside[0] + inside[2]) / 2, inside[3]):
            row, col = (round(v) for v in place)
            assert not changed[row : row + 60, col - 30 : col + 30].any()
