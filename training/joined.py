"""What the network sees at its own pixel and at twice of it, joined: the model that is shipped.

Run as python -m training.joined ROOFS.pt OUT.pt --scenes FOLDER --real FOLDER to learn how.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import Network
from training.samples import Pair, Source, draw_pairs, read_real, read_scenes
from training.scales import patchworks
from training.train import as_tensors, loss_of, score, split

__all__ = ["Joined", "read_network"]

# Twice the side that the network learns on: from twice as far it sees as much as it did there.
_SIDE_PX = 512
# Pairs that are looked at, how often, and how many at once. What changed is large in few that are
# drawn: of those where it is not, these are kept; large is so many pixels.
_PAIRS, _ROUNDS, _BATCH, _RATE, _HIDDEN = 320, 16, 8, 4e-3, 16
_KEPT, _LARGE_PX = 0.4, 10_000
_TOLD, _HELD_PAIRS = 50, 32
# How much of the surroundings is roof, or changed, seen from afar: over so many cells of 0.8 m.
_WIDE, _WIDE_STEP = 17, 4
# What is at least so wide at the coarser pixel is a hall, and so wide is its rim, cells of 0.8 m.
_HALL, _RIM = 15, 2


class Joined(nn.Module):
    """Four maps, as `training.network.Network` gives them, from what it says at two pixels.

    Small things are seen at the finer pixel, large ones whole at the coarser; how much of the
    surroundings is said to be alike tells which it is. What the coarser pixel shows as wide as a
    hall counts in full: the finer sees no rim there. Sides are multiples of 32. What appeared and
    what went are told by the same weights.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.roof = _mixer(3)
        self.change = _mixer(12)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        near, far = self.said(before, after)
        return torch.maximum(self.join(near, far), _as_large(_opened(far), 2))

    def said(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Return the network's maps at its pixel and at twice of it, logits."""
        halved = functional.avg_pool2d(before, 2), functional.avg_pool2d(after, 2)
        return self.network(before, after), self.network(*halved)

    def join(self, near: Tensor, far: Tensor) -> Tensor:
        """Return the maps from those of two pixels: (batch, 4, row, col), and half as large."""
        wide = functional.avg_pool2d(
            torch.sigmoid(far), _WIDE, _WIDE_STEP, _WIDE // 2, count_include_pad=False
        )
        wide, far = _as_large(wide, 2 * _WIDE_STEP), _as_large(far, 2)
        views = (near, far, 4.0 * wide - 2.0)
        turned = torch.cat([view[:, [1, 0, 3, 2]] for view in views], dim=1)
        roofs = [torch.cat([view[:, k : k + 1] for view in views], dim=1) for k in (0, 1)]
        more = [
            *(self.roof(roof) for roof in roofs),
            self.change(torch.cat(views, dim=1)),
            self.change(turned),
        ]
        return (near + far) / 2 + torch.cat(more, dim=1)


def _opened(far: Tensor) -> Tensor:
    """Return maps without what is narrower than a hall, and without the rims of halls.

    An opening by a square (Serra 1982) that does not grow back all the way: rims are seen better at
    the finer pixel.
    """
    for sign, side in ((-1.0, _HALL), (1.0, _HALL - 2 * _RIM)):
        for kernel in ((side, 1), (1, side)):
            reach = kernel[0] // 2, kernel[1] // 2
            far = sign * functional.max_pool2d(sign * far, kernel, 1, reach)
    return far


def _as_large(maps: Tensor, times: int) -> Tensor:
    return functional.interpolate(
        maps, scale_factor=float(times), mode="bilinear", align_corners=False
    )


def _mixer(inputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, _HIDDEN, 1), nn.ReLU(inplace=True), nn.Conv2d(_HIDDEN, 1, 1)
    )


def read_network(checkpoint: Path) -> Network:
    """Read the running mean of a network's weights."""
    network = Network().eval()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network.load_state_dict(state["mean"])
    return network


def _learn(chosen: argparse.Namespace) -> None:
    torch.manual_seed(7)
    scenes, held_scenes = split(read_scenes(chosen.scenes))
    tiles, held_tiles = split(read_real(chosen.real))
    rng = np.random.default_rng(7)
    source, held = (
        Source(s, patchworks(t, rng)) for s, t in ((scenes, tiles), (held_scenes, held_tiles))
    )
    joined = Joined(read_network(chosen.roofs)).eval()
    seen = [_looked_at(joined, pair) for pair in _pairs(source, rng, chosen.pairs)]
    taught = [*joined.roof.parameters(), *joined.change.parameters()]
    optimiser = torch.optim.AdamW(taught, lr=_RATE, weight_decay=0.01)
    steps = _ROUNDS * len(seen) // _BATCH
    for step in range(steps):
        chosen_ones = rng.choice(len(seen), _BATCH, replace=False)
        near, far, labels = (
            torch.stack(parts)
            for parts in zip(*(seen[number] for number in chosen_ones), strict=True)
        )
        loss = loss_of(joined.join(near.float(), far.float()), labels)
        optimiser.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % _TOLD == 0:
            print(f"{step} of {steps}: {float(loss.detach()):.3f}", flush=True)
    torch.save(joined.state_dict(), chosen.out)
    _tell(joined, held)


def _pairs(source: Source, rng: np.random.Generator, count: int) -> Iterator[Pair]:
    """Draw pairs, fewer of those where nothing large changed."""
    drawn = draw_pairs(source, _SIDE_PX, rng)
    for _number in range(count):
        pair = next(drawn)
        while not _large(pair) and rng.random() > _KEPT:
            pair = next(drawn)
        yield pair


def _large(pair: Pair) -> bool:
    masks = [np.uint8(pair.labels[..., band] == 1) for band in (2, 3)]
    areas = [cv2.connectedComponentsWithStats(mask)[2][1:, cv2.CC_STAT_AREA] for mask in masks]
    return bool(max((area.max() for area in areas if len(area)), default=0) >= _LARGE_PX)


@torch.no_grad()
def _looked_at(joined: Joined, pair: Pair) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the network says of a pair at both pixels, and what is true."""
    before, after, labels = as_tensors(pair)
    near, far = joined.said(before[None], after[None])
    return near[0].half(), far[0].half(), labels


def _tell(joined: Joined, held: Source) -> None:
    """Print the scores at one pixel and at both, on rendered scenes and on real tiles."""
    for name, kind, source in (
        ("rendered", "scene", held),
        ("real", "laid", Source([], held.tiles)),
    ):
        drawn = draw_pairs(source, _SIDE_PX, np.random.default_rng(1), kinds=(kind,))
        pairs = [as_tensors(next(drawn)) for _number in range(_HELD_PAIRS)]
        for what, model in (("one pixel", joined.network), ("both", joined)):
            told = (f"{which} {f1:.3f}" for which, f1 in score(model, pairs).items())
            print(name, what, *told, flush=True)


def main() -> int:
    """Learn how the maps are joined."""
    parser = argparse.ArgumentParser(prog="python -m training.joined", description=__doc__)
    parser.add_argument("roofs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=_PAIRS)
    _learn(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
