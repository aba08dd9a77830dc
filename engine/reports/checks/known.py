"""Gathers what is known of a study for the checks of its report, from headers and what the user corrected.

Opens no files and asks no archive. What models say does not count: a check must not rest on a guess.
"""

from collections.abc import Callable, Iterable, Mapping

from engine.dicom.identity import others_of_patient
from engine.facts.fact import FactKind, Facts, agreed, corrected, value_of
from engine.facts.from_header import facts_of_frame
from engine.reports.checks.check import Known
from engine.study import Series, Study

NOT_IMAGES = frozenset(("OT", "SC", "SEG", "DOC", "SR", "PR", "KO", "RTSTRUCT", "RTDOSE", "RTPLAN"))
"""Modalities of series that are no images of the patient."""


def known_of(
    study: Study,
    others: Iterable[Study] = (),
    archived: bool | None = None,
    corrections: Callable[[Series], Mapping[FactKind, str]] = lambda _: {},
) -> Known:
    """What is known of a study.

    Args:
        study: the study of the report.
        others: studies that are open beside it.
        archived: whether another case of the patient that is not known to be later is archived; None when there is no
            archive to ask.
        corrections: what the user says of a series; "" removes a kind.
    """
    series = [one for one in study.series if one.frames and one.modality.upper() not in NOT_IMAGES]
    facts = [corrected(facts_of_frame(study, one, one.frames[0]), corrections(one)) for one in series]
    regions = [value_of(one, "region") for one in facts]
    sides = {value_of(one, "laterality") for one in facts} - {""}
    return Known(
        sex=study.patient.sex,
        regions=frozenset(regions) if regions and all(regions) else frozenset(),
        side=sides.pop() if len(sides) == 1 and not sides & {"both"} else "",
        prior=_prior(study, others, archived),
        facts=_without_guesses(facts),
    )


def _prior(study: Study, others: Iterable[Study], archived: bool | None) -> bool | None:
    """Whether an earlier study of the patient is known; None for a patient without an ID, and without an archive."""
    if not study.patient.id:
        return None
    if any(not study.is_before(one) for one in others_of_patient(study, others)):
        return True
    return archived


def _without_guesses(facts: Iterable[Facts]) -> Facts:
    return {kind: fact for kind, fact in agreed(facts).items() if fact.value}
