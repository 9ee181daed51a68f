"""What the network sees at its own pixel and at twice of it, joined: the model that is shipped.

Run as python -m training.joined ROOFS.pt OUT.pt --scenes FOLDER --real FOLDER to learn how.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from training.network import Network
from training.samples import Source, draw_pairs, read_real, read_scenes
from training.scales import patchworks
from training.train import as_tensors, loss_of, score, split

__all__ = ["Joined", "read_network"]

# Twice the side that the network learns on: from twice as far it sees as much as it did there.
_SIDE_PX = 512
_BATCH, _RATE, _HIDDEN = 4, 4e-3, 16
_TOLD, _HELD_PAIRS = 25, 32


class Joined(nn.Module):
    """Four maps, as `training.network.Network` gives them, from what it says at two pixels.

    Sides are multiples of 32. What appeared and what went are told by the same weights.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.roof = _mixer(2)
        self.change = _mixer(8)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        near = self.network(before, after)
        far = self.network(functional.avg_pool2d(before, 2), functional.avg_pool2d(after, 2))
        far = functional.interpolate(far, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.join(near, far)

    def join(self, near: Tensor, far: Tensor) -> Tensor:
        """Return the maps from those of two pixels, (batch, 4, row, col) each, all logits."""
        mean = (near + far) / 2
        both = torch.cat([near, far], dim=1)
        other = torch.cat([near[:, [1, 0, 3, 2]], far[:, [1, 0, 3, 2]]], dim=1)
        more = [
            *(self.roof(torch.cat([near[:, k : k + 1], far[:, k : k + 1]], dim=1)) for k in (0, 1)),
            self.change(both),
            self.change(other),
        ]
        return mean + torch.cat(more, dim=1)


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


class _Endless(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    def __init__(self, source: Source) -> None:
        self.source = source

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for pair in draw_pairs(self.source, _SIDE_PX, np.random.default_rng(7)):
            yield as_tensors(pair)


def _learn(chosen: argparse.Namespace) -> None:
    torch.manual_seed(7)
    cv2.setNumThreads(0)
    scenes, held_scenes = split(read_scenes(chosen.scenes))
    tiles, held_tiles = split(read_real(chosen.real))
    rng = np.random.default_rng(7)
    source = Source(scenes, patchworks(tiles, rng))
    joined = Joined(read_network(chosen.roofs)).eval()
    joined.network.requires_grad_(requires_grad=False)
    taught = [*joined.roof.parameters(), *joined.change.parameters()]
    optimiser = torch.optim.AdamW(taught, lr=_RATE, weight_decay=0.01)
    loader = iter(DataLoader(_Endless(source), batch_size=_BATCH, num_workers=1))
    begun, losses = time.monotonic(), []
    for step in range(1, chosen.steps + 1):
        before, after, labels = next(loader)
        loss = loss_of(joined(before, after), labels)
        optimiser.param_groups[0]["lr"] = _RATE * (1 - step / (chosen.steps + 1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if step % _TOLD == 0:
            print(f"{step} {np.mean(losses):.3f} {time.monotonic() - begun:.0f} s", flush=True)
            losses.clear()
    torch.save(joined.state_dict(), chosen.out)
    _tell(joined, Source(held_scenes, patchworks(held_tiles, rng)))


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
    parser.add_argument("--steps", type=int, default=300)
    _learn(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
