"""What is no structure: vehicles, stored goods, people, walls and wires."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from survey.simulation.painting.barriers import pole, wall, wire
from survey.simulation.painting.canvas import Canvas
from survey.simulation.painting.goods import container, crowd, junk, pile, stall, tarpaulin
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.stage import Stage
from survey.simulation.painting.strips import strips
from survey.simulation.painting.vehicles import boat, bus, car, machine, truck
from survey.simulation.scene import Prop

__all__ = ["paint_prop"]

_PAINTERS: Mapping[str, Callable[[Stage], None]] = MappingProxyType(
    {
        "boat": boat,
        "bus": bus,
        "car": car,
        "container": container,
        "crowd": crowd,
        "junk": junk,
        "machine": machine,
        "pile": pile,
        "pole": pole,
        "stall": stall,
        "tarpaulin": tarpaulin,
        "truck": truck,
        "wall": wall,
        "wire": wire,
    }
)
_MARGIN_M = 0.3  # a hem's waves and the softness of an edge
_ARM_M = 0.8


def paint_prop(canvas: Canvas, prop: Prop, ground_m: float, moment: Moment) -> None:
    """Paint one thing, if the flight sees it.

    Parameters
    ----------
    canvas
        What to paint on.
    prop
        The thing.
    ground_m
        Height of the ground at its centre, metres.
    moment
        Season, weather and sun.
    """
    if not prop.span.holds(moment.flight):
        return
    half_u_m, half_v_m = prop.length_m / 2 + _MARGIN_M, prop.width_m / 2 + _MARGIN_M
    if prop.kind == "pole":
        half_v_m += _ARM_M
    elif prop.kind == "pile":  # lumps reach out of the ellipse
        half_u_m, half_v_m = 0.65 * prop.length_m + _MARGIN_M, 0.65 * prop.width_m + _MARGIN_M
    elif prop.kind == "wire":
        half_v_m += 0.02 * prop.length_m
    box = canvas.box(prop.place, half_u_m, half_v_m)
    if box is None:
        return
    for part in strips(box, half_u_m, half_v_m):
        u, v = part.frame()
        _PAINTERS[prop.kind](
            Stage(
                box=part,
                prop=prop,
                ground_m=ground_m,
                sun=moment.sun,
                flight=moment.flight,
                u=u,
                v=v,
            )
        )
