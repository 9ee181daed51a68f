"""Steps of the network's teaching; what it is taught is in test_training."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="NOT TESTED: install the `train` extra for PyTorch")

import torch

from training.joined import Joined
from training.network import Network
from training.samples import Pair
from training.train import _Course, as_tensors, loss_of

SIDE = 64


def batch():
    """Return two pairs in which one bright roof came, and which teach all four maps."""
    rng = np.random.default_rng(3)
    pairs = []
    for _number in range(2):
        before = rng.integers(90, 110, (SIDE, SIDE, 3), dtype=np.uint8)
        labels = np.zeros((SIDE, SIDE, 4), np.uint8)
        after = before.copy()
        after[16:40, 16:48] = 200
        labels[16:40, 16:48, [1, 2]] = 1
        pairs.append(as_tensors(Pair(before=before, after=after, labels=labels)))
    return tuple(torch.stack(parts) for parts in zip(*pairs, strict=True))


def test_steps_teach_the_network_and_its_mean_follows(tmp_path):
    torch.manual_seed(0)
    course = _Course(tmp_path / "roofs.pt", "cpu")
    first = {name: value.clone() for name, value in course.mean.state_dict().items()}
    losses = [course.learn(*batch(), rate=2e-3) for _step in range(8)]
    assert losses[-1] < losses[0]
    assert course.step == 8
    moved = [
        name for name, value in course.mean.state_dict().items() if (value != first[name]).any()
    ]
    assert any(name.endswith("running_mean") for name in moved)
    assert any(name.endswith("weight") for name in moved)


def test_a_course_goes_on_from_what_was_kept(tmp_path):
    torch.manual_seed(0)
    course = _Course(tmp_path / "roofs.pt", "cpu")
    course.learn(*batch(), rate=2e-3)
    course.keep()
    again = _Course(tmp_path / "roofs.pt", "cpu")
    assert again.step == 1
    assert again.learn(*batch(), rate=2e-3) == pytest.approx(course.learn(*batch(), rate=2e-3))


def test_how_two_pixels_are_joined_can_be_learnt():
    torch.manual_seed(0)
    joined = Joined(Network()).eval()
    before, after, labels = batch()
    with torch.no_grad():
        near, far = joined.said(before, after)
    loss = loss_of(joined.join(near, far), labels)
    loss.backward()
    assert all(part.grad is not None for part in [*joined.roof.parameters()])
    assert all(part.grad is not None for part in [*joined.change.parameters()])
