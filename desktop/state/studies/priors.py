"""Which open series are priors of a series, and where to begin in them. Pure functions; knows no archive.

A prior is of the same patient, of an earlier study, and does not contradict modality, region or side as the headers
say them: what one header does not say excludes nothing.
"""

from collections.abc import Sequence

from desktop.state.studies.studies import patient_of
from engine.facts.fact import FactKind, Facts
from engine.facts.from_header import facts_of_frame
from engine.geometry.linked_frames import at_an_angle, frame_at_same_position
from engine.study import Series, Study

MUST_AGREE: tuple[FactKind, ...] = ("modality", "region", "laterality")


def priors_of(study: Study, series: Series, studies: Sequence[Study]) -> list[tuple[Study, Series]]:
    """The best series of each earlier study of the patient that has one, the latest study first."""
    facts, found = facts_of_series(study, series), []
    for other in studies:
        if other.uid == study.uid or patient_of(other) != patient_of(study) or _when(other) > _when(study):
            continue
        fitting = [one for one in other.series if not contradicts(facts, facts_of_series(other, one))]
        if fitting:
            found.append((other, max(fitting, key=lambda one: _likeness(study, series, other, one))))
    return sorted(found, key=lambda pair: _when(pair[0]), reverse=True)


def best_series(study: Study, series: Series, other: Study) -> Series:
    """The series of another study that fits best beside a series, even where none really fits."""
    facts = facts_of_series(study, series)
    fitting = [one for one in other.series if not contradicts(facts, facts_of_series(other, one))]
    return max(fitting or other.series, key=lambda one: _likeness(study, series, other, one))


def facts_of_series(study: Study, series: Series) -> Facts:
    """What the header of the middle frame says."""
    return facts_of_frame(study, series, series.frames[len(series.frames) // 2])


def contradicts(one: Facts, other: Facts) -> bool:
    """Whether modality, region or side differ where both are known; both sides contradict neither."""
    for kind in MUST_AGREE:
        values = {facts[kind].value for facts in (one, other) if kind in facts}
        if len(values) == 2 and "both" not in values:
            return True
    return False


def first_index(series: Series, index: int, prior: Series) -> int:
    """The frame of a prior to begin with: at the position of a frame where both share it, else at the same fraction."""
    same = frame_at_same_position(series.frames[index], prior.frames)
    if same is not None:
        return same
    return round(index / max(1, len(series.frames) - 1) * (len(prior.frames) - 1))


def _when(study: Study) -> tuple[str, str]:
    return study.date, study.time


def _likeness(study: Study, series: Series, other: Study, one: Series) -> tuple[float, ...]:
    """How well a series fits, the most important first: plane, view and contrast, description, number of frames."""
    facts, own = facts_of_series(study, series), facts_of_series(other, one)
    same = sum(own[kind].value == facts[kind].value for kind in ("view", "contrast") if kind in facts and kind in own)
    parallel = not at_an_angle(series.frames[0], one.frames)
    described = series.description.lower() == one.description.lower()
    return parallel, same, described, -abs(len(series.frames) - len(one.frames))
