"""Write the weights as ONNX: python -m training.export JOINED.pt change/model/roofs.onnx"""

import argparse
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.joined import Joined
from training.network import Network

__all__ = ["write_onnx"]

_SIDE_PX = 64


def write_onnx(checkpoint: Path, target: Path) -> None:
    """Write the weights that `training.joined` left; any size of picture fits."""
    joined = Joined(Network()).eval()
    joined.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    for join in joined.network.difference.join:
        # Its convolution is laid in three parts, which the exporter does not fold by itself.
        join[0], join[1] = fuse_conv_bn_eval(join[0], join[1]), nn.Identity()
    empty = torch.zeros(1, 3, _SIDE_PX, _SIDE_PX)
    free = {2: "row", 3: "col"}
    torch.onnx.export(
        joined,
        (empty, empty),
        str(target),
        input_names=["before", "after"],
        output_names=["maps"],
        dynamic_axes={"before": free, "after": free, "maps": free},
        opset_version=17,
        dynamo=False,
    )


def main() -> int:
    """Write the weights."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    chosen = parser.parse_args()
    write_onnx(chosen.checkpoint, chosen.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
