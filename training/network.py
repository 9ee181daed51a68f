"""The network: one small encoder for both pictures, a roof map of each, and what differs. PyTorch.

Depthwise-separable blocks (Howard et al. 2017, MobileNets) on a strided stem; the features of both
pictures come from the same weights (Daudt et al. 2018, fully convolutional Siamese networks), and
so does what appeared and what went: the one is the other with the pictures exchanged.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Network"]

_WIDTHS = (24, 48, 96, 160)
_DEPTHS = (1, 3, 4, 4)
_ROOF = (20, 40, 64)  # features of the decoder at 1/2, 1/4 and 1/8
_CHANGE = (16, 32, 48)


def _pointwise(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Block(nn.Module):
    """A depthwise and a pointwise convolution, added to what came in where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        # Nothing between the two (Chollet 2017, Xception): as good, and a fifth less work.
        self.depthwise = nn.Conv2d(
            inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False
        )
        self.pointwise = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.pointwise(self.depthwise(x))
        return functional.relu(x + y if self.adds else y, inplace=True)


def _up(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _each(part: nn.Module, pair: list[Tensor]) -> list[Tensor]:
    """Run a part on both of a pair: in one batch while it learns, since their statistics are one.

    Else one after the other, so that the exported graph has nothing to put together and take apart.
    """
    if part.training:
        return list(part(torch.cat(pair)).chunk(2))
    return [part(x) for x in pair]


class _Eye(nn.Module):
    """Features of one picture at 1/2, 1/4 and 1/8, roofs and their surroundings understood."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, _WIDTHS[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(_WIDTHS[0]),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        for level, (width, depth) in enumerate(zip(_WIDTHS, _DEPTHS, strict=True)):
            # Far context is cheap where the pixels are few.
            kernel = 5 if level == len(_WIDTHS) - 1 else 3
            entry = [_Block(_WIDTHS[level - 1], width, stride=2)] if level else []
            self.stages.append(
                nn.Sequential(*entry, *(_Block(width, width, kernel=kernel) for _ in range(depth)))
            )
        self.deepest = _pointwise(_WIDTHS[3], _ROOF[2])
        self.laterals = nn.ModuleList(
            _pointwise(_WIDTHS[level], _ROOF[level]) for level in range(3)
        )
        self.narrow = nn.ModuleList(
            _pointwise(_ROOF[level + 1], _ROOF[level]) for level in range(2)
        )
        self.refine = nn.ModuleList(_Block(width, width) for width in _ROOF)

    def forward(self, picture: Tensor) -> list[Tensor]:
        x, seen = self.stem(picture), []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        features = [self.refine[2](_up(self.deepest(x)) + self.laterals[2](seen[2]))]
        for level in (1, 0):
            coarse = _up(self.narrow[level](features[0]))
            features.insert(0, self.refine[level](coarse + self.laterals[level](seen[level])))
        return features


class _Difference(nn.Module):
    """What appeared and what went: the one is the other with the pictures exchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.join = nn.ModuleList(
            _pointwise(3 * _ROOF[level], _CHANGE[level]) for level in range(3)
        )
        self.narrow = nn.ModuleList(
            _pointwise(_CHANGE[level + 1], _CHANGE[level]) for level in range(2)
        )
        self.refine = nn.ModuleList(_Block(width, width) for width in _CHANGE)
        self.last = nn.Conv2d(_CHANGE[0], 1, 1)

    def forward(self, before: list[Tensor], after: list[Tensor]) -> list[Tensor]:
        found: list[Tensor] = []
        for level in (2, 1, 0):
            joined = self._joined(level, before[level], after[level])
            if found:
                coarse = _each(self.narrow[level], found)
                joined = [y + _up(x) for y, x in zip(joined, coarse, strict=True)]
            found = _each(self.refine[level], joined)
        return [self.last(x) for x in found]

    def _joined(self, level: int, before: Tensor, after: Tensor) -> list[Tensor]:
        """Join the features of both pictures with how far they are apart, in both directions.

        Each third of the weights is laid on its own: nothing is put together first, and what both
        directions share is worked out once.
        """
        convolution, norm, _activation = self.join[level]
        first, second, apart = convolution.weight.chunk(3, dim=1)
        shared = functional.conv2d(torch.abs(before - after), apart, convolution.bias)
        joined = [
            functional.conv2d(one, first) + functional.conv2d(other, second) + shared
            for one, other in ((before, after), (after, before))
        ]
        # Not in place: while it learns both are views of one.
        return [functional.relu(y) for y in _each(norm, joined)]


class Network(nn.Module):
    """Two pictures in, four maps out at half their size.

    Pictures are (batch, 3, row, col), red green blue from 0 to 1, sides multiples of 16; the maps
    (batch, 4, row / 2, col / 2) are logits of: roof before, roof after, appeared, gone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eye = _Eye()
        self.roof = nn.Conv2d(_ROOF[0], 1, 1)
        self.difference = _Difference()

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        pictures = [picture * 4.0 - 2.0 for picture in (before, after)]
        if self.training:
            features = [x.chunk(2) for x in self.eye(torch.cat(pictures))]
            first, second = ([x[k] for x in features] for k in (0, 1))
        else:
            first, second = (self.eye(picture) for picture in pictures)
        roofs = [self.roof(x[0]) for x in (first, second)]
        return torch.cat([*roofs, *self.difference(first, second)], dim=1)
