"""Teach the network: python -m training.train --scenes FOLDER --real FOLDER OUT.pt

Runs on the CPU (bfloat16, hours on two cores) or on a GPU where there is one. It can be stopped at
any time and goes on from OUT.pt. The weights that are kept are a running mean.
"""

import argparse
import copy
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.network import Network
from training.samples import HELD_BACK, Pair, Source, draw_pairs, read_real, read_scenes
from training.scales import halved_source
from training.scenes import IGNORED

__all__ = ["as_tensors", "loss_of", "score", "split"]

SIDE_PX = 256
_BATCH, _RATE, _WARM_UP, _FALL = 16, 2e-3, 200, 0.35
_MEAN = 0.998
_CHANGE_WEIGHT = 2.0
_TOLD = 50  # steps
_HELD_PAIRS = 48
_HALVED = 0.35  # share of pairs at twice the pixel
_NAMES = ("roof before", "roof after", "appeared", "gone")


class _Endless(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    def __init__(self, source: Source, seed: int) -> None:
        self.source, self.seed = source, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        worker = get_worker_info()
        number = worker.id if worker else 0
        rng = np.random.Generator(np.random.PCG64([self.seed, number]))
        sources = self.source, halved_source(self.source, rng)
        pairs = [draw_pairs(source, SIDE_PX, rng) for source in sources]
        while True:
            yield as_tensors(next(pairs[int(rng.random() < _HALVED)]))


def as_tensors(pair: Pair) -> tuple[Tensor, Tensor, Tensor]:
    """Return both pictures from 0 to 1 and the labels, each (band, row, col)."""
    before, after = (
        torch.from_numpy(np.ascontiguousarray(np.moveaxis(colour, -1, 0))).float() / 255.0
        for colour in (pair.before, pair.after)
    )
    return before, after, torch.from_numpy(np.ascontiguousarray(np.moveaxis(pair.labels, -1, 0)))


def _halved(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the labels at half the size, as shares, and where they teach."""
    ignored = functional.max_pool2d((labels == IGNORED).float(), 2)
    return functional.avg_pool2d((labels == 1).float(), 2), 1.0 - ignored


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Return cross-entropy and Dice loss, change counted more than roofs."""
    target, taught = _halved(labels)
    logits = logits.float()
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * taught
    # Hard pixels count more (Lin et al. 2017, focal loss): most ground is easy.
    likely = torch.sigmoid(logits)
    entropy = entropy * (0.25 + (likely - target).abs())
    entropy = entropy.sum(dim=(0, 2, 3)) / taught.sum(dim=(0, 2, 3)).clamp(min=1.0)
    likely = likely * taught
    shared = (likely * target).sum(dim=(0, 2, 3))
    both = (likely + target * taught).sum(dim=(0, 2, 3))
    dice = 1.0 - (2.0 * shared + 50.0) / (both + 50.0)
    weight = torch.tensor([1.0, 1.0, _CHANGE_WEIGHT, _CHANGE_WEIGHT], device=logits.device)
    return ((4.0 * entropy + 0.5 * dice) * weight).sum()


@torch.no_grad()
def score(network: Network, pairs: list[tuple[Tensor, Tensor, Tensor]]) -> dict[str, float]:
    """Return the best F1 over thresholds of each map, pixels pooled over pairs."""
    steps = torch.linspace(0.1, 0.9, 17)
    counts = torch.zeros(3, 4, len(steps))
    for before, after, labels in pairs:
        likely = torch.sigmoid(network(before[None], after[None]).float())[0]
        target, taught = _halved(labels[None])
        truth, taught = target[0] > 0.5, taught[0] > 0
        for number, step in enumerate(steps):
            said = (likely >= step) & taught
            counts[0, :, number] += (said & truth).sum(dim=(1, 2))
            counts[1, :, number] += said.sum(dim=(1, 2))
            counts[2, :, number] += (truth & taught).sum(dim=(1, 2))
    f1 = 2 * counts[0] / (counts[1] + counts[2]).clamp(min=1)
    return {name: float(f1[k].max()) for k, name in enumerate(_NAMES)}


def _rate(step: int, steps: int) -> float:
    """Rise, stay, and fall to nothing over the last third."""
    rise = min(1.0, (step + 1) / _WARM_UP)
    fall = min(1.0, (steps - step) / (steps * _FALL))
    return _RATE * rise * fall


def split(things: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return what is learnt from, and what is held back."""
    kept = [thing for number, thing in enumerate(things) if number % HELD_BACK]
    return kept, things[::HELD_BACK]


class _Course:
    """A network on its way: its weights, their running mean, and how many steps it has made."""

    def __init__(self, path: Path, device: str) -> None:
        self.path, self.device, self.step = path, device, 0
        # Without instructions of its own for it, bfloat16 is slower than single precision.
        self.halves = device == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
        self.network = Network().to(device=device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=_RATE, weight_decay=0.01)
        if path.exists():
            state = torch.load(path, map_location=device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.mean.load_state_dict(state["mean"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    def learn(self, before: Tensor, after: Tensor, labels: Tensor, rate: float) -> float:
        """Make a step; return the loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        pictures = [
            part.to(self.device).contiguous(memory_format=torch.channels_last)
            for part in (before, after)
        ]
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.halves):
            logits = self.network(*pictures)
        loss = loss_of(logits, labels.to(self.device))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        _follow(self.mean, self.network, min(_MEAN, self.step / (self.step + 9)))
        return float(loss.detach())

    def keep(self) -> None:
        """Write everything, whole or not at all."""
        draft = self.path.with_suffix(".draft")
        torch.save(
            {
                "network": self.network.state_dict(),
                "mean": self.mean.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
            },
            draft,
        )
        draft.replace(self.path)


def _train(chosen: argparse.Namespace) -> None:
    torch.manual_seed(chosen.seed)
    # OpenCV's threads do not live through the fork that makes the workers.
    cv2.setNumThreads(0)
    scenes, held_scenes = split(read_scenes(chosen.scenes))
    tiles, held_tiles = split(read_real(chosen.real))
    held = Source(held_scenes, held_tiles)
    course = _Course(chosen.out, "cuda" if torch.cuda.is_available() else "cpu")
    data = _Endless(Source(scenes, tiles), chosen.seed + course.step)
    loader = iter(DataLoader(data, batch_size=_BATCH, num_workers=chosen.workers))
    begun, losses = time.monotonic(), []
    while course.step < chosen.steps:
        losses.append(course.learn(*next(loader), _rate(course.step, chosen.steps)))
        if course.step % _TOLD == 0:
            told = f"{course.step} {np.mean(losses):.3f} {time.monotonic() - begun:.0f} s"
            print(told, flush=True)
            losses.clear()
        if course.step % chosen.every == 0 or course.step == chosen.steps:
            course.keep()
            _tell(copy.deepcopy(course.mean).cpu().eval(), held)


def _tell(network: Network, held: Source) -> None:
    """Print the scores on rendered scenes and on real tiles: how far apart they are is the gap."""
    real = Source([], held.tiles)
    rng = np.random.default_rng(2)
    for name, kind, source in (
        ("rendered", "scene", held),
        ("real", "laid", real),
        ("rendered, halved", "scene", halved_source(held, rng)),
        ("real, halved", "laid", halved_source(real, rng)),
    ):
        drawn = draw_pairs(source, SIDE_PX, np.random.default_rng(1), kinds=(kind,))
        pairs = [as_tensors(next(drawn)) for _number in range(_HELD_PAIRS)]
        scores = score(network, pairs)
        print(name, *(f"{what} {f1:.3f}" for what, f1 in scores.items()), flush=True)


@torch.no_grad()
def _follow(mean: Network, network: Network, share: float) -> None:
    for kept, now in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.mul_(share).add_(now, alpha=1.0 - share)
        else:
            kept.copy_(now)


def main() -> int:
    """Teach the network."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=10600)
    parser.add_argument("--every", type=int, default=250)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    _train(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
