"""The classifier of real and rendered crops, on pictures whose difference is known."""

import cv2
import numpy as np
import pytest

from benchmarks.pictures import GroundPicture

pytest.importorskip("sklearn", reason="NOT TESTED: install the `dev` extra for scikit-learn")

from benchmarks.telling import FAMILIES, halves, tell


def pictures(kind: str, blur_px: float, tint: float, seed: int) -> list[GroundPicture]:
    """Return six pictures in three groups: noise of a blur and a tint."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(6):
        noise = rng.standard_normal((3, 256, 256)).astype(np.float32)
        soft = np.stack([cv2.GaussianBlur(band, (0, 0), blur_px) for band in noise])
        grey = 120 + 25 * soft / soft.std()
        grey[2] += tint
        made.append(
            GroundPicture(
                name=f"{kind} {index}",
                kind=kind,
                group=f"{kind} {index // 2}",
                pixel_m=0.1,
                colours=grey.clip(0, 255).astype(np.uint8),
            )
        )
    return made


def test_groups_are_not_parted():
    rng = np.random.default_rng(1)
    both = pictures("a", 1, 0, 1) + pictures("b", 1, 0, 2)
    first = halves(both, rng)
    groups = {picture.group for picture, mine in zip(both, first, strict=True) if mine}
    assert all((picture.group in groups) == mine for picture, mine in zip(both, first, strict=True))
    for kind in "ab":
        mine = [half for picture, half in zip(both, first, strict=True) if picture.kind == kind]
        assert 0 < sum(mine) < len(mine)


def test_like_pictures_are_not_told_apart():
    told = tell(
        pictures("real", 1.2, 0, 3), pictures("rendered", 1.2, 0, 4), np.random.default_rng(0)
    )
    assert told.accuracy == pytest.approx(0.5, abs=0.12)
    assert set(told.alone) == set(told.importance) == set(FAMILIES)


def test_a_tint_is_told_by_colour():
    told = tell(
        pictures("real", 1.2, 0, 5), pictures("rendered", 1.2, 25, 6), np.random.default_rng(0)
    )
    assert told.accuracy > 0.95
    assert told.alone["colour"] > 0.95
    assert told.alone["spectrum"] < 0.7


def test_one_group_cannot_be_halved():
    one = pictures("real", 1.2, 0, 7)[:2]
    with pytest.raises(ValueError, match="two groups"):
        tell(one, pictures("rendered", 1.2, 0, 8), np.random.default_rng(0))
