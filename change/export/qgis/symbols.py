"""Symbols and renderers of QGIS as XML. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from change.export.qgis.markup import Element, add, element, options, properties

__all__ = [
    "Colour",
    "Layer",
    "Rule",
    "Symbol",
    "categories",
    "centroid",
    "fill",
    "hatch",
    "line",
    "marker",
    "one_symbol",
    "rules",
    "symbol_element",
]

Colour = tuple[int, ...]
"""Red, green, blue and, where it is not 255, opacity, each 0 to 255."""

CLEAR: Colour = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of a symbol."""

    kind: str
    """Its class in QGIS."""
    values: Mapping[str, str]
    """Its properties."""
    enabled: str | None = None
    """Expression for whether it is drawn; None for always."""
    inner: "Symbol | None" = None
    """The symbol it repeats, where it is a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """How a geometry is drawn: layers, the lowest first."""

    kind: str
    """``fill``, ``line`` or ``marker``."""
    layers: tuple[Layer, ...]
    """The layers."""

    def __add__(self, other: "Symbol") -> "Symbol":
        return Symbol(kind=self.kind, layers=(*self.layers, *other.layers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A symbol for what an expression picks out."""

    where: str
    """The expression."""
    label: str
    """What the legend calls it."""
    symbol: Symbol
    """The symbol."""


def _shown(colour: Colour) -> str:
    red, green, blue, *opacity = colour
    return f"{red},{green},{blue},{opacity[0] if opacity else 255}"


def fill(
    colour: Colour = CLEAR, *, outline: Colour = CLEAR, width: float = 0.0, dash: str = "solid"
) -> Symbol:
    """Return a filled outline, width in mm; ``dash`` is the outline's style, ``no`` for none."""
    values = {
        "color": _shown(colour),
        "joinstyle": "miter",
        "outline_color": _shown(outline),
        "outline_style": dash if width else "no",
        "outline_width": f"{width:g}",
        "outline_width_unit": "MM",
        "style": "no" if colour == CLEAR else "solid",
    }
    return Symbol(kind="fill", layers=(Layer(kind="SimpleFill", values=values),))


def line(colour: Colour, width: float) -> Symbol:
    """Return a line, width in mm."""
    values = {
        "capstyle": "flat",
        "line_color": _shown(colour),
        "line_style": "solid",
        "line_width": f"{width:g}",
        "line_width_unit": "MM",
    }
    return Symbol(kind="line", layers=(Layer(kind="SimpleLine", values=values),))


def hatch(colour: Colour, *, apart: float, width: float, angle: float = 45.0) -> Symbol:
    """Return parallel lines, distance and width in mm."""
    values = {
        "angle": f"{angle:g}",
        "distance": f"{apart:g}",
        "distance_unit": "MM",
        "line_width": f"{width:g}",
        "line_width_unit": "MM",
    }
    pattern = Layer(kind="LinePatternFill", values=values, inner=line(colour, width))
    return Symbol(kind="fill", layers=(pattern,))


def marker(colour: Colour, size: float, *, outline: Colour = (255, 255, 255)) -> Symbol:
    """Return a disc with an outline, size in mm."""
    values = {
        "color": _shown(colour),
        "name": "circle",
        "outline_color": _shown(outline),
        "outline_style": "solid",
        "outline_width": "0.2",
        "outline_width_unit": "MM",
        "scale_method": "diameter",
        "size": f"{size:g}",
        "size_unit": "MM",
    }
    return Symbol(kind="marker", layers=(Layer(kind="SimpleMarker", values=values),))


def centroid(symbol: Symbol, enabled: str) -> Symbol:
    """Return a marker inside an area, drawn where an expression holds."""
    values = {"clip_points": "0", "point_on_all_parts": "0", "point_on_surface": "1"}
    layer = Layer(kind="CentroidFill", values=values, enabled=enabled, inner=symbol)
    return Symbol(kind="fill", layers=(layer,))


def symbol_element(symbol: Symbol, name: str) -> Element:
    """Return a symbol as XML."""
    made = element("symbol", type=symbol.kind, name=name, alpha=1, clip_to_extent=1, force_rhr=0)
    for number, layer in enumerate(symbol.layers):
        drawn = add(made, "layer", class_=layer.kind, enabled=1, locked=0, pass_=0)
        # 3.22 reads the second form, later versions the first.
        drawn.append(options(layer.values))
        for key, value in layer.values.items():
            add(drawn, "prop", k=key, v=value)
        if layer.enabled is not None:
            drawn.append(properties({"enabled": layer.enabled}))
        if layer.inner is not None:
            drawn.append(symbol_element(layer.inner, f"@{name}@{number}"))
    return made


def one_symbol(symbol: Symbol) -> Element:
    """Return the renderer that draws everything alike."""
    made = _renderer("singleSymbol")
    _add_symbols(made, [symbol])
    return made


def categories(column: str, entries: Sequence[tuple[str, str, Symbol]]) -> Element:
    """Return the renderer that draws by the value of a column: (value, label, symbol)."""
    made = _renderer("categorizedSymbol")
    made.set("attr", column)
    listed = add(made, "categories")
    for number, (value, label, _symbol) in enumerate(entries):
        add(
            listed,
            "category",
            value=value,
            label=label,
            symbol=number,
            render="true",
            type="string",
        )
    _add_symbols(made, [symbol for _value, _label, symbol in entries])
    return made


def rules(entries: Sequence[Rule]) -> Element:
    """Return the renderer that draws by rules."""
    made = _renderer("RuleRenderer")
    listed = add(made, "rules", key="rules")
    for number, rule in enumerate(entries):
        add(listed, "rule", key=f"rule{number}", filter=rule.where, label=rule.label, symbol=number)
    _add_symbols(made, [rule.symbol for rule in entries])
    return made


def _renderer(kind: str) -> Element:
    return element(
        "renderer-v2", type=kind, enableorderby=0, forceraster=0, referencescale=-1, symbollevels=0
    )


def _add_symbols(renderer: Element, symbols: Sequence[Symbol]) -> None:
    listed = add(renderer, "symbols")
    listed.extend(symbol_element(symbol, str(number)) for number, symbol in enumerate(symbols))
    add(renderer, "rotation")
    add(renderer, "sizescale")
