"""One candidate looked at closely: what is it, is it a structure, and what became of it? Pure.

Every candidate is measured in a window of its own, so that nothing depends on how the area was cut
into blocks. The tests are named, their numbers travel with the change.
"""

from change.height_judgement import heights_decide, heights_known, judge_by_height
from change.looks import Look, Measured, inside_of
from change.picture_judgement import judge_by_picture
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["measure"]


def measure(look: Look, light: Light, settings: DetectSettings) -> list[Measured]:
    """Measure one candidate; empty where nothing is left of it at a close look."""
    inside = inside_of(look, look.outline)
    if not inside.any():
        return []
    if not heights_decide(look, inside, settings):
        found = judge_by_picture(look, light, inside, settings)
        if found or not heights_known(look, inside):
            return found
    by_height = judge_by_height(look, light, settings)
    return [] if by_height is None else [by_height]
