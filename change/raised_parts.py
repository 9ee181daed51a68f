"""What was found standing: each place once, rooms on a roof with the house they stand on. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import shapely
from shapely import Polygon, STRtree

from change.raised import Part

__all__ = ["in_one", "likeliest"]

# A part is a room on the roof of another, or a step of it, where so much of its rim is shared with
# one at least twice as large.
_ENCLOSED, _SMALLER = 0.6, 0.5
# Two findings that share so much of the smaller one are one place.
_SAME_PLACE = 0.3


def likeliest(parts: Iterable[Part]) -> list[Part]:
    """Keep, where two parts share a good part of a place, the likelier one."""
    ranked = sorted(parts, key=lambda p: (-p.score * p.whole, -p.outline.area, p.outline.bounds))
    tree = STRtree([part.outline for part in ranked])
    kept: set[int] = set()
    for index, part in enumerate(ranked):
        rivals = kept.intersection(tree.query(part.outline).tolist())
        shared = (part.outline.intersection(ranked[i].outline).area for i in rivals)
        least = (min(part.outline.area, ranked[i].outline.area) for i in rivals)
        if not any(s > _SAME_PLACE * a for s, a in zip(shared, least, strict=True)):
            kept.add(index)
    return [ranked[index] for index in sorted(kept)]


def in_one(parts: Sequence[Part]) -> list[Part]:
    """Give rooms on a roof to the house that they stand on."""
    tree = STRtree([part.outline for part in parts])
    owner = {
        index: host
        for index, part in enumerate(parts)
        if (host := _host(part, parts, tree.query(part.outline).tolist())) is not None
    }
    hosted: dict[int, list[Part]] = {}
    for index in owner:
        host = index
        while host in owner:  # hosts are larger than what they hold: this ends
            host = owner[host]
        hosted.setdefault(host, []).append(parts[index])
    return [
        _with_rooms(part, hosted.get(index, []))
        for index, part in enumerate(parts)
        if index not in owner
    ]


def _host(part: Part, parts: Sequence[Part], near: Sequence[int]) -> int | None:
    rim = part.outline.exterior
    shares = [
        (rim.intersection(parts[i].outline).length / rim.length, i)
        for i in near
        if part.outline.area < _SMALLER * parts[i].outline.area
    ]
    best = max(shares, default=(0.0, -1))
    return best[1] if best[0] >= _ENCLOSED else None


def _with_rooms(part: Part, rooms: Sequence[Part]) -> Part:
    joined = shapely.union_all([part.outline, *(room.outline for room in rooms)])
    if not rooms or not isinstance(joined, Polygon):
        return part
    return replace(part, outline=shapely.simplify(joined, 0.0))
