"""Flights without colours: scans of old film, or copies in grey, beside a flight in colour."""

from dataclasses import replace

import pytest
import rasterio
import shapely

from change.facts import pair_facts
from change.ground_layers import LayerOptions, open_layers
from change.inventory_job import InventoryJob, run_inventory
from change.job import Job, run_job
from change.remarks import remarks
from survey.light import without_colours
from survey.settings import Settings
from tests.samples import PERMITS, expected, options, run_pair

SETTINGS = Settings().changed("blocks", workers=1)


def in_grey(flight, folder):
    """Return a flight of the sample, its orthophoto written in grey."""
    path = folder / flight.path.name
    with rasterio.open(flight.path) as dataset:
        profile, tags = dataset.profile, dataset.tags()
        with rasterio.open(
            path, "w", **(profile | {"count": 1, "photometric": "minisblack"})
        ) as to:
            to.write(without_colours(dataset.read([1, 2, 3]))[:1])
            to.update_tags(TIFFTAG_DATETIME=tags["TIFFTAG_DATETIME"])
    return replace(flight, path=path)


def told_apart(changes, truth):
    """Return how many true changes of 20 m2 are found, and how many reports lie on none."""
    reported = shapely.union_all([change.outline for change in changes])
    large = truth[truth.area >= 20].geometry
    true = truth.union_all()
    return (
        sum(outline.intersection(reported).area >= 0.3 * outline.area for outline in large),
        sum(c.outline.intersection(true).area < 0.3 * c.outline.area for c in changes),
    )


def test_beside_a_grey_flight_leaves_are_no_structures(tmp_path):
    """Read as it is, the grey of March against the colours of December makes ten wrong reports."""
    said = []
    job = Job(
        before=in_grey(options(0), tmp_path),
        after=options(3),
        layers=LayerOptions(permits=str(PERMITS)),
    )
    result = run_job(job, SETTINGS, say=said.append)
    in_colours = told_apart(run_pair(0, 3).detection.changes, expected(0, 3))
    found, wrong = told_apart(result.detection.changes, expected(0, 3))
    assert found >= in_colours[0] - 1
    assert wrong <= in_colours[1] + 3
    assert result.pair.coloured == (False, True)
    name = result.pair.before.name
    assert sum(f"{name} shows no colours" in sentence for sentence in said) == 1


@pytest.mark.parametrize(
    ("coloured", "sentence"),
    [
        ((True, True), None),
        ((False, True), "2025-03-15_ortho.tif shows no colours"),
        ((True, False), "2025-06-14_ortho.tif shows no colours"),
        ((False, False), "neither flight shows colours"),
    ],
)
def test_the_record_tells_who_shows_colours(coloured, sentence):
    result = run_pair(0, 1)
    pair = replace(result.pair, coloured=coloured)
    flights = pair_facts(pair, [])["flights"]
    assert (flights["before"]["coloured"], flights["after"]["coloured"]) == coloured
    layers = open_layers(LayerOptions(), pair.grid, SETTINGS)
    said = [line for line in remarks(pair, layers, None) if "colours" in line]
    assert [line.startswith(sentence) for line in said] == ([True] if sentence else [])


@pytest.mark.parametrize("grey", [True, False])
def test_an_inventory_of_a_grey_flight_warns(grey, tmp_path):
    flight = options(0, heights=False)
    flight = in_grey(flight, tmp_path) if grey else flight
    said = []
    result = run_inventory(InventoryJob(flight=flight), SETTINGS, say=said.append)
    warnings = [sentence for sentence in said if "shows no colours" in sentence]
    assert len(warnings) == (1 if grey else 0)
    assert set(warnings) <= set(result.assumptions)
