"""Ground as a surface model has it: fields, houses and trees whose heights are known."""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["RISE", "Ground", "village"]

RISE = 0.3
"""Slope of banks, m per m."""


@dataclass
class Ground:
    """Nearly level ground under crops and crowns."""

    heights: np.ndarray
    green: np.ndarray

    def __init__(self, rng, shape, heights=None, green=None):
        self.heights = noise(rng, shape) if heights is None else heights
        self.green = np.zeros(shape, bool) if green is None else green

    def grown(self, rng, *, crops, crowns):
        """Return it a season later: strips of crops, all a little higher, and rough crowns."""
        rows, cols = self.heights.shape
        end = round(crops * cols)
        heights = self.heights + noise(rng, (rows, cols))
        green = np.zeros((rows, cols), bool)
        green[:, :end] = True
        heights[:, :end] += rng.uniform(0.1, 0.35, (rows, 1)).astype(np.float32)
        crown = round(crowns * cols)
        green[:, end : end + crown] = True
        heights[:, end : end + crown] += rng.uniform(0.2, 4, (rows, crown)).astype(np.float32)
        return Ground(rng, (rows, cols), heights, green)


def noise(rng, shape, size=0.03):
    """Return what matching leaves: short waves, m."""
    return cv2.GaussianBlur(rng.normal(0, 3 * size, shape).astype(np.float32), (0, 0), 1.0)


def village(rng, shape, *, houses=40, reach=1):
    """Return heights of houses on rolling ground, ``reach`` times finer than one pixel."""
    rows, cols = (reach * side for side in shape)
    y, x = np.mgrid[:rows, :cols].astype(np.float32) / reach
    heights = 20 + 2 * np.sin(x / 25) * np.cos(y / 30)
    for _house in range(houses):
        row, col = rng.uniform(5, shape[0] - 20), rng.uniform(5, shape[1] - 20)
        down, across = rng.uniform(6, 14, 2)
        inside = (y > row) & (y < row + down) & (x > col) & (x < col + across)
        heights[inside] = heights[inside].mean() + rng.uniform(3, 9)
    return heights.astype(np.float32)
