"""Explanation: what is held against a change, in sentences a person can check. Pure."""

from collections.abc import Iterator

from change.relations import ADRIFT_M
from change.suspicion import NEAREST_M, Suspect
from survey.words import LANGUAGES, N_, _, spoken_in

__all__ = ["KIND_WORDS", "POINT_WORDS", "REASON_WORDS", "explain", "explained"]

KIND_WORDS = {
    "building": N_("building"),
    "shed": N_("shed"),
    "annex": N_("annex"),
    "roof_addition": N_("roof addition"),
    "storey": N_("added storey"),
    "site": N_("building site"),
    "removed": N_("removed"),
    "partly_removed": N_("partly removed"),
}
"""What people call a kind of change."""

REASON_WORDS = {
    "no_permit": N_("no permit"),
    "exceeds_permit": N_("larger than permitted"),
    "grown_beyond_permit": N_("grown beyond its permit"),
    "beside_permit": N_("beside its permit"),
    "permit_expired": N_("permit expired"),
    "before_grant": N_("built before the permit"),
    "as_permitted": N_("as permitted"),
    "removed_permitted": N_("permitted building removed"),
    "removed_unpermitted": N_("building without permit removed"),
    "not_compared": N_("not compared"),
}
"""What people call a reason."""

POINT_WORDS = {
    "reason": N_("relation to the permit"),
    "protected": N_("protected ground"),
    "size": N_("size"),
    "height": N_("height"),
    "certainty": N_("certainty"),
}
"""What people call that for which points are given."""

_PROTECTED_WORDS = {
    "farmland": N_("farmland"),
    "river": N_("river and dyke"),
    "road": N_("road reserve"),
    "green": N_("green space"),
    "heritage": N_("heritage"),
}

_RELATION = {
    "no_permit": N_("No permit covers this: {kind} of {area:.0f} m². {nearest}"),
    "beside_permit": N_("It stands {apart:.1f} m beside {permit}, on which nothing stands."),
    "exceeds_permit": N_(
        "It reaches {reach:.1f} m and {excess:.0f} m² beyond {permit}; with the tolerance,"
        " {cover:.0%} is covered."
    ),
    "grown_beyond_permit": N_(
        "Added to what stood, it reaches {reach:.1f} m and {excess:.0f} m² beyond {permit}; with"
        " the tolerance, {cover:.0%} is covered."
    ),
    "permit_expired": N_("{permit} covers it, but had run out before it was built."),
    "before_grant": N_("{permit} covers it, but was granted only after it was seen."),
    "as_permitted": N_("{permit} covers it."),
    "removed_permitted": N_("What {permit} allows was removed."),
    "removed_unpermitted": N_("It was removed; no permit covered it."),
    "not_compared": N_("It was not compared with permits."),
}
_RUN_OUT = N_("{permit}, for a temporary building, covers it, but has run out.")
_ON_TOP = N_("It was built on top of what {permit} is for, and no later permit allows that.")
_OUTLIVED = N_("{permit} covers it, but was for a time that is over.")
_ADRIFT = N_("{permit} would cover it, if it lay up to {adrift:.0f} m elsewhere.")
_ON_PERMITTED_GROUND = N_("{permit} covers the ground it stands on.")

_FURTHER = {
    "before_grant": N_("The permit was granted only later, too."),
    "permit_expired": N_("The permit had run out, too."),
    "too_high": N_("It stands {higher:.1f} m higher than permitted."),
    "footprint_too_large": N_("It covers {excess:.0f} m² more ground than the permit allows."),
    "floor_area_too_large": N_("Its floors are up to {excess:.0f} m² more than the permit allows."),
    "temporary": N_("The permit is for a temporary building."),
    "near_flawed_row": N_("A row of the permit layer that could not be used lies close by: look."),
}

# How sure it is by everything that is known, and what the pictures alone say.
_SEEN = {
    "stock": (
        N_("Taken together, a structure stands here with a probability of {score:.0%}."),
        N_("The picture alone shows a structure here with {likely:.0%}."),
    ),
    "gone": (
        N_("Taken together, this is a real change with a probability of {score:.0%}."),
        N_("The pictures alone say that a structure went here with {likely:.0%}."),
    ),
    "new": (
        N_("Taken together, this is a real change with a probability of {score:.0%}."),
        N_("The pictures alone say that a structure appeared here with {likely:.0%}."),
    ),
}
_LIKE = {
    "shadow": N_("a shadow"),
    "vegetation": N_("vegetation"),
    "crops": N_("crops or grass"),
    "water": N_("water"),
    "vehicle": N_("a vehicle or container"),
    "containers": N_("containers on top of each other"),
    "tarpaulin": N_("a tarpaulin"),
    "stockpile": N_("a heap of goods or soil"),
    "solar_panels": N_("solar panels"),
    "leaning": N_("a facade that leans another way"),
    "displaced": N_("a roof seen from another side"),
    "flat": N_("something flat on the ground"),
    "old": N_("what stood there already"),
}
_SHADED = N_("It is darker where its shadow would fall than on the other side.")
_NOT_SHADED = N_("Against it: where its shadow would fall it is no darker than on the other side.")
# So much darker is told, natural logarithm.
_CASTS = 0.25
# An innocent explanation is told from this fit on, [0, 1].
_TOLD = 0.3
# How much of it trees hid is told from this share on.
_BELOW_CROWNS = 0.1

_NOT_JUDGED = {
    "height": N_("Whether it is higher than permitted was not judged: height unknown."),
    "floor_area": N_("Whether its floor area is permitted was not judged: height unknown."),
    "place": N_(
        "How far off the permits are drawn is unknown: whether it goes beyond was not judged."
    ),
    "dates": N_("The permit's dates were not judged: the day of a flight is unknown."),
}


def explained(item: Suspect) -> dict[str, str]:
    """Return the explanation of a suspect in every language, sentences one after the other."""
    told = {}
    for language in LANGUAGES:
        with spoken_in(language):
            # Chinese sentences follow each other without a space.
            told[language] = ("" if language == "zh_CN" else " ").join(explain(item))
    return told


def explain(item: Suspect) -> tuple[str, ...]:
    """Return what is held against a change, and what that rests on, in the user's language."""
    return tuple(
        sentence
        for part in (_relation, _further, _height, _seen, _protected, _doubts, _severity)
        for sentence in part(item)
    )


def _relation(item: Suspect) -> Iterator[str]:
    """Say the reason with its numbers."""
    template = _RELATION[item.reason]
    within = (item.excess_m or 0.0) <= (item.permit_tolerance_m or 0.0)
    if "place" in item.not_judged and item.reason == "as_permitted":
        template = _ADRIFT
    if item.reason in ("exceeds_permit", "grown_beyond_permit") and within:
        template = _ON_PERMITTED_GROUND
    if item.reason == "permit_expired" and "temporary" in item.reasons:
        template = _RUN_OUT
    if item.reason == "grown_beyond_permit" and item.change.kind in ("storey", "roof_addition"):
        template = _ON_TOP
    if item.reason == "permit_expired" and item.change.origin == "stock":
        template = _OUTLIVED
    text = _(template)
    yield text.format(
        permit=_permit(item, first=text.startswith("{permit}")),
        adrift=ADRIFT_M,
        kind=_(KIND_WORDS[item.change.kind]),
        area=item.change.area_m2,
        nearest=_nearest(item),
        apart=_apart(item),
        reach=item.excess_m or 0.0,
        excess=item.excess_m2 or 0.0,
        cover=item.permit_cover or 0.0,
    )


def _permit(item: Suspect, *, first: bool) -> str:
    """Name a permit at the beginning of a sentence or within one."""
    if item.permit_number:
        return _("Permit {number}").format(number=item.permit_number)
    return _("A permit without a number") if first else _("a permit without a number")


def _nearest(item: Suspect) -> str:
    if not item.nearest:
        return _("There is none within {reach:.0f} m.").format(reach=NEAREST_M)
    near = item.nearest[0]
    # Less than half a percent would read as none at all.
    if near.cover >= 0.005:
        return _("The nearest, {number}, covers {cover:.0%} of it, with the tolerance.").format(
            number=near.number or _("without a number"), cover=near.cover
        )
    return _("The nearest, {number}, is drawn {apart:.1f} m away.").format(
        number=near.number or _("without a number"), apart=near.distance_m
    )


def _apart(item: Suspect) -> float:
    found = [near.distance_m for near in item.nearest if near.number == item.permit_number]
    return min(found, default=0.0)


def _further(item: Suspect) -> Iterator[str]:
    for slug in item.reasons:
        yield _(_FURTHER[slug]).format(
            higher=item.excess_height_m or 0.0, excess=item.excess_m2 or 0.0
        )


def _height(item: Suspect) -> Iterator[str]:
    gain, storeys = item.change.height_gain_m, item.storeys_gained
    if gain is None or item.change.vanished:
        return
    if item.change.origin == "stock":
        yield _("It stands {height:.1f} m above the ground.").format(height=gain)
    elif storeys is None:
        yield _("It gained {gain:.1f} m of height.").format(gain=gain)
    elif storeys[0] == storeys[1]:
        yield _("It gained {gain:.1f} m of height; storeys: {storeys}.").format(
            gain=gain, storeys=storeys[0]
        )
    else:
        yield _("It gained {gain:.1f} m of height; storeys: {least} to {most}.").format(
            gain=gain, least=storeys[0], most=storeys[1]
        )


def _seen(item: Suspect) -> Iterator[str]:
    """Say how sure it is, and what the pictures show for and against it."""
    numbers = dict(item.change.evidence)
    what = "stock" if item.change.origin == "stock" else "gone" if item.change.vanished else "new"
    certain, likely = _SEEN[what]
    yield _(certain).format(score=item.change.score)
    if "likely" in numbers:
        yield _(likely).format(likely=numbers["likely"])
    seen = [(name, f"{name}_other") for name in ("roof", "seen_as_roof") if name in numbers]
    for name, other in seen:
        now, then = numbers[name], numbers[other]
        before, after = (now, then) if item.change.vanished else (then, now)
        yield _("A roof is seen with {before:.0%} before and {after:.0%} after.").format(
            before=before, after=after
        )
    if "stands_m" in numbers:
        yield _("By the surface model it stands {height:.1f} m above the ground around.").format(
            height=numbers["stands_m"]
        )
    if (casts := numbers.get("casts")) is not None and not 0.0 < casts < _CASTS:
        yield _(_SHADED if casts > 0.0 else _NOT_SHADED)
    if numbers.get("below_crowns", 0.0) >= _BELOW_CROWNS:
        yield _(
            "{share:.0%} of it lies where a tree hid the ground from the earlier flight."
        ).format(share=numbers["below_crowns"])
    for slug, what in _LIKE.items():
        fit = numbers.get(f"like_{slug}", 0.0)
        if fit >= _TOLD:
            yield _("Against it: it looks like {what} ({fit:.0%}).").format(what=_(what), fit=fit)


def _protected(item: Suspect) -> Iterator[str]:
    for ground in item.protected:
        name = _(_PROTECTED_WORDS.get(ground.name, "")) or ground.name
        if ground.label:
            name = _("{name} ({label})").format(name=name, label=ground.label)
        yield _("{share:.0%} of it stands on protected ground: {name}.").format(
            share=ground.share, name=name
        )


def _doubts(item: Suspect) -> Iterator[str]:
    """Say what could not be told, and within what nothing was held against anyone."""
    yield from (_(_NOT_JUDGED[slug]) for slug in item.not_judged)
    if item.permit_tolerance_m is not None and not item.change.vanished:
        yield _("Drawing and flights are known to {tolerance:.1f} m here.").format(
            tolerance=item.permit_tolerance_m
        )


def _severity(item: Suspect) -> Iterator[str]:
    if not item.points:
        return
    parts = [
        _("{what} {points:.0f}").format(what=_(POINT_WORDS[name]), points=points)
        for name, points in item.points
    ]
    yield _("Severity {severity:.0f} of 100: {parts}.").format(
        severity=item.severity, parts=_(", ").join(parts)
    )
