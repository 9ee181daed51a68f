"""Draw the examples of docs/suspicion.md: made cases, judged by the program itself.

python docs/draw_relations.py          # writes docs/images/relation-*.svg and the sentences
python docs/draw_relations.py --check  # says whether they are what the program would give now

Every picture is of a case that ``change.suspicion.compare`` gives the reason it is meant to show.
The sentences below a picture, in both languages, are those of ``change.explanation``.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import shapely
from relation_cases import FLOWN, HEIGHT_ERROR_M, Elevation, Panel, shown
from shapely.geometry.base import BaseGeometry

from change.explanation import explained
from change.export.overview import REASON_COLOURS
from change.suspicion import Suspect
from survey.settings import Settings

DOCS = Path(__file__).parent
PAGES = {"en": DOCS / "suspicion.md", "zh_CN": DOCS / "suspicion.zh.md"}

Bounds = tuple[float, float, float, float]

WIDTH, HEIGHT = 320, 200
INK, STOOD, NO_SUSPECT = "#141414", "#cfcfcf", (110, 110, 110)
HATCHES = {"permit": ("#141414", 45, 7, 0.8), "protected": ("#2e7d32", -45, 9, 2.0)}
YEARS = (2022, 2026)
# Reasons of which a part is the matter, the rest is permitted.
_PART_BEYOND = ("exceeds_permit", "grown_beyond_permit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A part of the sheet, pixels, and the ground that is drawn into it, m."""

    left: float
    width: float
    height: float
    bounds: Bounds

    @property
    def scale(self) -> float:
        """Pixels for a metre."""
        left, bottom, right, top = self.bounds
        fit = min((self.width - 20) / (right - left), (self.height - 46) / (top - bottom))
        return min(10.0, fit)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place is drawn, pixels."""
        left, bottom, right, top = self.bounds
        return (
            self.left + self.width / 2 + (x - (left + right) / 2) * self.scale,
            (self.height - 16) / 2 + ((bottom + top) / 2 - y) * self.scale,
        )

    def path(self, shape: BaseGeometry, style: str) -> str:
        """Return an outline as an SVG path."""
        rings = []
        for part in shapely.get_parts(shape.normalize()):
            if isinstance(part, shapely.Polygon):
                for ring in (part.exterior, *part.interiors):
                    points = [self.at(x, y) for x, y in ring.coords[:-1]]
                    rings.append("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + "Z")
        return f'<path d="{"".join(rings)}" {style}/>'


def draw(panels: tuple[Panel, ...]) -> str:
    """Return a picture as SVG."""
    parts = [*_sheet()]
    width = WIDTH / len(panels)
    for index, panel in enumerate(panels):
        parts.extend(_draw_panel(panel, index * width, width, _extent(panels)))
        if len(panels) > 1:
            parts.append(_text(index * width + 10, 17, "ab"[index], weight="bold"))
    if len(panels) > 1:
        parts.append(f'<path d="M{width:g},8V{HEIGHT - 8}" stroke="#bbb"/>')
    return "\n".join([*parts, "</svg>", ""])


def _sheet() -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="480"'
        ' font-family="sans-serif" font-size="11" fill="none">'
    )
    for name, (colour, angle, step, line) in HATCHES.items():
        yield (
            f'<pattern id="{name}" width="{step}" height="{step}" patternUnits="userSpaceOnUse"'
            f' patternTransform="rotate({angle})">'
            f'<path d="M0,0V{step}" stroke="{colour}" stroke-width="{line}"/></pattern>'
        )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    """Return letters with a white rim, so that they can be read on anything."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
        f' fill="{INK}" stroke="#fff" stroke-width="3" paint-order="stroke"'
        f' stroke-linejoin="round">{text}</text>'
    )


def _colour(reason: str, share: float = 1.0) -> str:
    """Return the colour of a reason, darker for a share below 1."""
    return "#" + "".join(
        f"{round(part * share):02x}" for part in REASON_COLOURS.get(reason, NO_SUSPECT)
    )


def _extent(panels: tuple[Panel, ...]) -> Bounds:
    """Return the ground that all panels of a picture show, so that they are to one scale."""
    shapes: list[BaseGeometry] = []
    for panel in panels:
        shapes += [panel.change.outline, *panel.stood, *panel.districts]
        shapes += [item.outline for item in panel.permits or ()]
        shapes += [] if panel.protected is None else [panel.protected]
    bounds: Bounds = shapely.union_all(shapes).buffer(0.0 if panels[0].districts else 2.5).bounds
    return bounds


def _draw_panel(panel: Panel, left: float, width: float, bounds: Bounds) -> Iterator[str]:
    found = panel.judged()
    side = 120.0 if panel.elevation else 0.0
    height = HEIGHT - (44.0 if panel.dated else 0.0)
    frame = Frame(left=left, width=width - side, height=height, bounds=bounds)
    yield from _draw_ground(panel, frame)
    yield from _draw_built(panel, found, frame)
    yield from _draw_permits(panel, found, frame)
    yield from _draw_numbers(panel, found, frame)
    yield from _draw_scale(frame)
    if panel.elevation:
        yield from _draw_elevation(panel.elevation, found)
    if panel.dated:
        yield from _draw_dates(panel, found)


def _draw_ground(panel: Panel, frame: Frame) -> Iterator[str]:
    if panel.protected is not None:
        yield frame.path(panel.protected, 'fill="url(#protected)" stroke="#2e7d32"')
        inner = panel.protected.buffer(-panel.change.tolerance_m)
        yield frame.path(inner, f'stroke="{INK}" stroke-dasharray="4 3" stroke-width="0.9"')
    for outline in panel.stood:
        yield frame.path(outline, f'fill="{STOOD}" stroke="#8c8c8c"')
    if panel.districts:
        line = shapely.intersection(*panel.districts)
        (x, low), (_x, high) = (frame.at(*point) for point in line.coords[:2])
        yield f'<path d="M{x:.1f},{low:.1f}V{high:.1f}" stroke="{INK}" stroke-dasharray="9 3 2 3"/>'


def _draw_built(panel: Panel, found: Suspect, frame: Frame) -> Iterator[str]:
    outline, line = panel.change.outline, _colour(found.reason, 0.8)
    if panel.change.vanished:
        yield frame.path(outline, f'stroke="{line}" stroke-width="2" stroke-dasharray="2 3"')
        (left, low), (right, high) = (frame.at(*outline.bounds[i : i + 2]) for i in (0, 2))
        yield (
            f'<path d="M{left:.1f},{low:.1f}L{right:.1f},{high:.1f}M{left:.1f},{high:.1f}'
            f'L{right:.1f},{low:.1f}" stroke="{line}" stroke-dasharray="2 3"/>'
        )
        return
    share = 0.45 if found.suspicious else 0.12
    yield frame.path(outline, f'fill="{_colour(found.reason)}" fill-opacity="{share}"')
    if found.excess is not None and found.reason in _PART_BEYOND:
        yield frame.path(found.excess, f'fill="{_colour(found.reason, 0.75)}"')
    yield frame.path(outline, f'stroke="{line}" stroke-width="2.2"')


def _draw_permits(panel: Panel, found: Suspect, frame: Frame) -> Iterator[str]:
    """Draw each permit hatched, all of them grown by the tolerance dashed."""
    outlines = [item.outline for item in panel.permits or ()]
    if outlines and found.permit_tolerance_m is not None:
        for outline in outlines:
            yield frame.path(outline, f'fill="url(#permit)" fill-opacity="0.55" stroke="{INK}"')
        grown = shapely.union_all(outlines).buffer(found.permit_tolerance_m)
        yield frame.path(grown, f'stroke="{INK}" stroke-dasharray="4 3" stroke-width="0.9"')
    for item in panel.permits or ():
        x, y = frame.at(item.outline.bounds[0], item.outline.bounds[3])
        limit = f": {item.footprint_m2:.0f} m²" if item.footprint_m2 else ""
        yield _text(x + 6, y + 14, item.number + limit, weight="bold")


def _draw_numbers(panel: Panel, found: Suspect, frame: Frame) -> Iterator[str]:
    """Write how large it is, or how far and how large what lies beyond its permit is."""
    outline = panel.change.outline
    if panel.districts:
        yield from _draw_shares(panel, frame)
    elif panel.protected is not None:
        share = found.protected[0].share if found.protected else 0.0
        x, y = frame.at(outline.bounds[0], outline.centroid.y)
        yield _text(x + 6, y + 4, f"{share:.0%}")
    elif found.reason == "beside_permit":
        line = shapely.shortest_line((panel.permits or ())[0].outline, outline)
        (x0, _y), (x1, _y) = (frame.at(*point) for point in line.coords)
        x, y = frame.at(line.centroid.x, outline.centroid.y)
        yield f'<path d="M{x0:.1f},{y:.1f}H{x1:.1f}" stroke="{INK}"/>'
        yield _text(x, y - 5, f"{line.length:.1f} m", anchor="middle")
    elif found.excess_m and found.reason in _PART_BEYOND:
        yield from _draw_excess(found, frame)
        return
    plain = not (panel.elevation or panel.districts or panel.protected or panel.stood[1:])
    if plain and not panel.change.vanished:
        x, y = frame.at(outline.centroid.x, outline.centroid.y)
        yield _text(x, y + 4, f"{outline.area:.0f} m²", anchor="middle")


def _draw_excess(found: Suspect, frame: Frame) -> Iterator[str]:
    """Write beside what lies beyond the permit how far it reaches and how large it is."""
    reach, area = f"{found.excess_m:.1f} m", f"{found.excess_m2:.0f} m²"
    left, bottom, right, top = (found.excess or found.change.outline).bounds
    if right - left > 1.2 * (top - bottom):
        x, y = frame.at((left + right) / 2, bottom)
        yield _text(x, y + 24, f"{reach}, {area}", anchor="middle")
    else:
        x, y = frame.at(right, (bottom + top) / 2)
        yield _text(x + 6, y - 2, reach)
        yield _text(x + 6, y + 12, area)


def _draw_shares(panel: Panel, frame: Frame) -> Iterator[str]:
    for share in panel.shares():
        part = panel.districts["AB".index(share.code)].intersection(panel.change.outline)
        x, y = frame.at(part.centroid.x, part.centroid.y)
        weight = "bold" if share.own else "normal"
        yield _text(x, y + 4, f"{share.share:.0%}", anchor="middle", weight=weight)
        x, y = frame.at(part.centroid.x, panel.districts[0].bounds[3])
        yield _text(x, y + 14, share.code, anchor="middle", weight="bold")


def _draw_scale(frame: Frame) -> Iterator[str]:
    x, y = frame.left + 10, frame.height - 10
    length = 5 * frame.scale
    yield f'<path d="M{x:.1f},{y - 5:g}V{y:g}H{x + length:.1f}V{y - 5:g}" stroke="{INK}"/>'
    yield _text(x + length + 5, y, "5 m")


def _draw_elevation(view: Elevation, found: Suspect) -> Iterator[str]:
    """Draw the building from the side, at the right of the sheet."""
    left, ground, metre, wide = 206.0, 172.0, 10.0, 62.0
    inner = (left + 22, wide - 34) if view.narrow else (left, wide)

    def block(span: tuple[float, float], low: float, high: float, style: str) -> str:
        return (
            f'<rect x="{span[0]:.1f}" y="{ground - high * metre:.1f}" width="{span[1]:.1f}"'
            f' height="{(high - low) * metre:.1f}" {style}/>'
        )

    if view.stood:
        yield block((left, wide), 0.0, view.stood, f'fill="{STOOD}" stroke="#8c8c8c"')
    own, line = _colour(found.reason), _colour(found.reason, 0.8)
    yield block(inner, view.stood, view.top, f'fill="{own}" fill-opacity="0.45"')
    if view.permitted:
        dark = f'fill="{_colour(found.reason, 0.75)}"'
        yield block(inner, view.permitted, view.top, dark)
        permitted = f'fill="url(#permit)" fill-opacity="0.55" stroke="{INK}"'
        yield block((left, wide), 0.0, view.permitted, permitted)
        slack = Settings().permits.height_tolerance_m + 2 * HEIGHT_ERROR_M
        y = ground - (view.permitted + slack) * metre
        yield f'<path d="M{left - 6},{y:.1f}h{wide + 12}" stroke="{INK}" stroke-dasharray="4 3"/>'
        y = ground - view.permitted * metre
        yield _text(left + wide + 8, y + 4, f"{view.permitted:.1f} m")
    yield block(inner, view.stood, view.top, f'stroke="{line}" stroke-width="2.2"')
    y = ground - view.top * metre
    gain = "" if view.permitted else "+"
    high = view.top - view.stood
    at = y + 4 if view.permitted else y + high * metre / 2 + 4
    yield _text(left + wide + 8, at, f"{gain}{high:.1f} m")
    yield f'<path d="M{left - 12},{ground}H{left + wide + 12}" stroke="{INK}" stroke-width="1.4"/>'


def _draw_dates(panel: Panel, found: Suspect) -> Iterator[str]:
    """Draw the years: how long the permit runs, both flights, and what lies between them."""
    left, right, axis = 24.0, 300.0, 176.0

    def at(day: date) -> float:
        years = day.year + (day.timetuple().tm_yday - 1) / 365.25 - YEARS[0]
        return left + (right - left) * min(1.0, years / (YEARS[1] - YEARS[0]))

    for item in panel.permits or ():
        end = item.valid_until or date(YEARS[1], 1, 1)
        start = at(item.granted or date(YEARS[0], 1, 1))
        yield (
            f'<rect x="{start:.1f}" y="{axis - 19:g}" width="{at(end) - start:.1f}" height="14"'
            f' fill="url(#permit)" stroke="{INK}"/>'
        )
        yield _text(start + 5, axis - 8, item.number, weight="bold")
    yield f'<path d="M{left:g},{axis:g}H{right:g}" stroke="{INK}"/>'
    for year in range(YEARS[0], YEARS[1] + 1):
        x = at(date(year, 1, 1))
        yield f'<path d="M{x:.1f},{axis:g}v5" stroke="{INK}"/>'
        yield _text(x, axis + 17, str(year), anchor="middle")
    first, second = (at(day) for day in FLOWN)
    colour = _colour(found.reason)
    yield (
        f'<rect x="{first:.1f}" y="{axis - 2:g}" width="{second - first:.1f}" height="4"'
        f' fill="{colour}" stroke="{_colour(found.reason, 0.8)}"/>'
    )
    for number, x in enumerate((first, second), start=1):
        yield f'<path d="M{x:.1f},{axis - 24:g}V{axis + 4:g}" stroke="{INK}"/>'
        yield _text(x, axis - 27, str(number), anchor="middle")


def drawings() -> dict[Path, str]:
    """Return every picture by its file."""
    return {
        DOCS / "images" / f"relation-{name}.svg": draw(panels) for name, panels in shown().items()
    }


def with_sentences(page: str, language: str) -> str:
    """Return a page with what the program says of a case below each of its pictures."""
    for name, panels in shown().items():
        told = [explained(panel.judged())[language] for panel in panels]
        marks = [f"{letter}: " for letter in "ab"] if len(told) > 1 else [""]
        said = "\n>\n".join(f"> {mark}{text}" for mark, text in zip(marks, told, strict=True))
        page = re.sub(
            rf"(\(images/relation-{name}\.svg\)\n\n)(?:>[^\n]*\n)+",
            lambda found, said=said: f"{found[1]}{said}\n",
            page,
        )
    return page


def main(arguments: list[str]) -> int:
    """Write or compare pictures and sentences, and return the exit code."""
    pages = {path: path.read_text(encoding="utf-8") for path in PAGES.values()}
    wanted = drawings() | {path: with_sentences(pages[path], lang) for lang, path in PAGES.items()}
    if arguments == ["--check"]:
        old = [
            path.name
            for path, text in wanted.items()
            if not path.is_file() or path.read_text(encoding="utf-8") != text
        ]
        if old:
            print(f"old: {', '.join(old)}; run docs/draw_relations.py", file=sys.stderr)
        return 1 if old else 0
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
