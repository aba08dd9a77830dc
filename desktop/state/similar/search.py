"""Searches the archive for similar cases and holds the hits. Knows no widgets and does no ranking.

Filters, corrections, the share of the text and feedback apply at once, to the question that the hits answer; what was
asked before is kept to go back to. `outdated` says that the hits do not answer what the panel asks now.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from desktop.state.changes import ChangeNotifier
from desktop.state.redaction import redacted
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.hits import HitsState
from desktop.state.similar.query import EVEN, AnsweredQuery, Question, SearchForm, feedback_text, summary_of
from desktop.state.similar.search_history import SearchHistory
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.facts.fact import FactKind, Facts
from engine.facts.from_header import facts_of_frame
from engine.retrieval.feedback import NO_FEEDBACK, Feedback
from engine.retrieval.query import Box
from engine.retrieval.search import SearchResult, search
from engine.study import Series

Way = Literal["new", "refined", "revisited"]
"""How a question came about: typed anew, changed in what applies at once, or taken from the history."""


class SearchState(HitsState):
    """One search at a time; a newer one supersedes it."""

    changed = Signal()
    """The form, the hits, or whether a search is running."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        viewport: ViewportState,
        ask: Callable[..., SearchResult] = search,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(background, lambda: viewport.patient_data_visible, parent)
        self._background, self._archive, self._viewport, self._ask = background, archive, viewport, ask
        self.form = SearchForm()
        self.answered: AnsweredQuery | None = None
        """What the hits answer; None before the first search and after a failed one."""
        self.facts: Facts = {}
        """What the hits were weighed by, with the corrections."""
        self._question: Question | None = None
        """The question that the hits answer."""
        self._latest: Question | None = None
        """The question that is being asked, or else the one that is answered."""
        self._history = SearchHistory()
        self._unmoved: frozenset[int] = frozenset()
        """The cases that the question found before any feedback."""
        self._corrections: dict[str, dict[FactKind, str]] = {}
        """By what they are about."""
        self._error: BaseException | None = None
        self.notice = ""
        """A warning about the image that was searched with; "" for none."""
        self._job: Job | None = None
        self._searched: Archive | None = None
        """The archive of the latest search, which may still be running."""
        archive.changed.connect(self._on_archive)
        viewport.redaction_changed.connect(self.changed)
        ChangeNotifier(viewport.picture_changed, self.changed, self._image_state, self)

    def _image_state(self) -> tuple[bool, bool]:
        """What the panel depends on; the image itself does not count, so that a scroll emits at most once."""
        return self._viewport.picture is not None, self.image_differs

    @property
    def question(self) -> Question | None:
        """The question that the hits answer."""
        return self._question

    @property
    def failure(self) -> str:
        """Why the last search failed; "" when it did not."""
        return redacted(self._error, self._viewport.patient_data_visible)

    @property
    def corrections(self) -> dict[FactKind, str]:
        """What the user says of the query of the hits instead of header, text and models; "" removes a kind."""
        return self._corrections.get(self._question.about, {}) if self._question else {}

    def corrections_of(self, series: Series) -> Mapping[FactKind, str]:
        """What the user says of the images of a series instead of header and models; "" removes a kind."""
        return dict(self._corrections.get(series.key, {}))

    @property
    def searching(self) -> bool:
        """Whether a search is running."""
        return self._job is not None

    @property
    def outdated(self) -> bool:
        """Whether the hits do not answer what the panel asks now: a search is running, or its filters are invalid."""
        asked = self._question
        return bool(self.hits) and (self.searching or (asked is not None and asked.form.live != self.form.live))

    @property
    def image_differs(self) -> bool:
        """Whether the hits answer another image than the current one."""
        shown = self._viewport.picture
        return bool(self.answered and self.answered.ref and (shown is None or shown.ref != self.answered.ref))

    @property
    def composed(self) -> bool:
        """Whether the hits answer an image, or a case, and words, which have shares."""
        embedded = self._question.embedded if self._question else None
        return bool(self.answered) and embedded is not None and bool(embedded.images) and embedded.text is not None

    def set_form(self, form: SearchForm) -> None:
        """Take the values of the fields in the panel; filters, matching and share apply at once."""
        if form == self.form:
            return
        live, self.form = self.form.live != form.live, form
        if live and self._latest is not None and not self._latest.form.with_live(form).why_invalid():
            self._run(self._latest.refined(form), "refined")
        else:
            self.changed.emit()

    def why_not(self) -> str:
        """Why no search can start; "" when one can."""
        if self._archive.archive is None:
            return "Open an archive to search: menu Archive, or drop its folder here."
        if not self._archive.stats.get("cases", 0):
            return "The archive is empty. Import studies or reports first: menu Archive."
        if self._archive.bundle is None:
            return self._archive.bundle_failure or "The models are loading…"
        if not self.form.text.strip() and self.form.case is None:
            if self._viewport.picture is None:
                return "Open a study, or type text to search for."
            if not self.form.with_image:
                return "Type text to search for, or include the current image."
        return self.form.why_invalid()

    def why_none(self) -> str:
        """What to try when the search found nothing; "" when it found something, or there was none."""
        if self.answered is None or self.hits:
            return ""
        advice = []
        if self.form.mode == "lexical":
            advice.append("search by meaning")
        if self.form.filtered:
            advice.append("clear the filters")
        if self.form.text.strip():
            advice.append("use other words")
        return f"No cases found for {self.answered}. Try to {_alternatives(advice or ['import more cases'])}."

    def clear_filters(self) -> None:
        """Clear the filters."""
        self.set_form(self.form.unfiltered())

    # -- asking

    def search(self, whole_series: bool = False, roi: Box | None = None) -> None:
        """Search by the text of the form and by the case of the form, the current image at its window, or its series.

        Args:
            whole_series: ask the series of the current image as a whole.
            roi: a region of the current image that counts more than the rest.
        """
        archive, bundle = self._archive.archive, self._archive.bundle
        if self.why_not() or archive is None or bundle is None:
            self.changed.emit()
            return
        study, form = self._viewport.study, self.form
        picture = self._viewport.picture if form.with_image and form.case is None else None
        about, summary = form.text.strip(), AnsweredQuery("", "")
        if form.case is not None:
            about, summary = f"case {form.case}", AnsweredQuery("", f"case {form.case}")
        elif picture is not None:
            summary = summary_of(picture, whole_series, roi)
            about = picture.series.key if form.uses_image else about
        question = Question(
            archive,
            bundle,
            form=form,
            about=about,
            study=study.uid if study else None,
            patient=study.patient.id or None if study else None,
            picture=picture,
            summary=summary,
            header=facts_of_frame(study, picture.series, picture.ref) if study and picture else {},
            corrections=dict(self._corrections.get(about, {})),
            whole_series=whole_series,
        )
        self._run(question, "new")

    def search_image(self) -> None:
        """Search by the current image alone."""
        self._search_alone()

    def search_series(self) -> None:
        """Search by the series of the current image as a whole."""
        self._search_alone(whole_series=True)

    def search_roi(self, roi: Box) -> None:
        """Search by a region of the current image, with the text of the form."""
        self._set_form_only(replace(self.form, with_image=True, case=None, mode="vector", text_share=EVEN))
        self.search(roi=roi)

    def search_selected_case(self) -> None:
        """Search by the case of the selected hit alone."""
        if self.selected is not None:
            self._search_alone(case=self.selected.case_id)

    def leave_case(self) -> None:
        """Search by the current image again instead of a case, from the next search on."""
        self.set_form(replace(self.form, case=None))

    def _search_alone(self, case: int | None = None, whole_series: bool = False) -> None:
        alone = replace(self.form, text="", with_image=True, case=case, mode="vector", text_share=EVEN)
        self._set_form_only(alone)
        self.search(whole_series)

    def _set_form_only(self, form: SearchForm) -> None:
        """Take a form that is about to be asked, without asking the earlier question with its filters."""
        self.form = form

    def correct(self, kind: FactKind, value: str | None) -> None:
        """Say a fact of the query of the hits: "" for none of its kind, None for what was found. Search again."""
        asked = self._latest
        if asked is None:
            return
        corrections = self._corrections.setdefault(asked.about, {})
        corrections.pop(kind, None)
        if value is not None:
            corrections[kind] = value
        self._run(replace(asked, corrections=dict(corrections)), "refined")

    # -- feedback

    @property
    def feedback(self) -> Feedback:
        """Which cases the user marked as relevant or not for the question of the hits."""
        return self._question.feedback if self._question else NO_FEEDBACK

    @property
    def feedback_text(self) -> str:
        """What the feedback did, in one line; "" without any."""
        new = sum(hit.case_id not in self._unmoved for hit in self.hits)
        return feedback_text(self.feedback, new, len(self.hits))

    @property
    def takes_feedback(self) -> bool:
        """Whether a hit is selected whose list was ranked by vectors."""
        asked = self._latest
        return self.selected is not None and asked is not None and asked.form.mode != "lexical"

    def mark_relevant(self, relevant: bool) -> None:
        """Move the query towards the case of the selected hit, or away from it; marking it again takes that back."""
        asked, hit = self._latest, self.selected
        if asked is None or hit is None or not self.takes_feedback:
            return
        if not asked.feedback:
            self._unmoved = frozenset(hit.case_id for hit in self.hits)
        again = hit.case_id in (asked.feedback.liked if relevant else asked.feedback.unliked)
        feedback = asked.feedback.with_case(hit.case_id, None if again else relevant)
        self._run(replace(asked, feedback=feedback), "refined")

    def clear_feedback(self) -> None:
        """Ask the question as it was before any feedback."""
        if self._latest is not None:
            self._run(replace(self._latest, feedback=NO_FEEDBACK), "refined")

    # -- history

    @property
    def can_go_back(self) -> bool:
        """Whether another question was asked before."""
        return bool(self._history.back)

    @property
    def can_go_forward(self) -> bool:
        """Whether one went back from another question."""
        return bool(self._history.forward)

    def go_back(self) -> None:
        """Ask the question before this one again, with its own filters."""
        if self.can_go_back:
            self._revisit(self._history.go(True, self._latest))

    def go_forward(self) -> None:
        """Ask the question again that one went back from."""
        if self.can_go_forward:
            self._revisit(self._history.go(False, self._latest))

    def _revisit(self, question: Question) -> None:
        self._set_form_only(question.form)
        corrections = dict(self._corrections.get(question.about, {}))  # they may have changed since
        self._run(replace(question, corrections=corrections), "revisited")

    # -- hits

    def forget(self, cases: Collection[int]) -> None:
        """Remove the hits of cases that were deleted, and the questions about them."""
        self._history.keep_only(lambda question: question.form.case not in cases)
        self._show_hits(
            [hit for hit in self.hits[: self.prior_count] if hit.case_id not in cases],
            [hit for hit in self.hits[self.prior_count :] if hit.case_id not in cases],
        )
        self.select(self.hits[0] if self.hits else None)
        self.changed.emit()

    def _run(self, question: Question, way: Way) -> None:
        self._latest = question
        self._job = self._background.start(
            as_work(question.run, self._ask),
            partial(self._take, way),
            title="Searching",
            key="search",
            lane=Lane.MODEL,
            urgent=True,
            failed=partial(self._fail, way=way),
            shows_failure=True,
            cancelled=self._end,
        )
        self._error, self._searched = None, question.archive
        self.changed.emit()

    def _take(self, way: Way, answer: tuple[Question, SearchResult]) -> None:
        question, found = answer
        if way == "new":
            self._history.leave(self._question)
        kept = self.selected.case_id if self.selected is not None and way == "refined" else None
        self._job, self.facts = None, found.facts
        self._question = self._latest = question
        self._use(question.archive)
        self.answered, self.notice = question.answered, found.familiarity.notice
        self._show_hits(found.priors, found.hits, fused=question.form.mode == "hybrid")
        same = (hit for hit in self.hits if hit.case_id == kept)
        self.select(next(same, self.hits[0] if self.hits else None))
        self.changed.emit()

    def _fail(self, error: BaseException, way: Way = "new") -> None:
        if way != "revisited":
            self._history.leave(self._question)
        self._job, self._error = None, error
        self.answered = self._question = self._latest = None
        self._show_hits([], [])
        self.select(None)
        self.changed.emit()

    def _end(self) -> None:
        """The search was cancelled: the panel shows what the hits answer."""
        self._job, self._latest = None, self._question
        if self._question is not None:
            self.form = self.form.with_live(self._question.form)
        self.changed.emit()

    def _on_archive(self) -> None:
        """Remove the hits or the failure of another archive, and cancel a search that is running there."""
        if self._searched is not None and self._archive.archive is not self._searched:
            self._background.drop("search")
            self._job = self._searched = self.answered = self._question = self._latest = None
            self._error, self.notice, self.form = None, "", replace(self.form, case=None)
            self._history.clear()
            self._use(None)
            self._show_hits([], [])
            self.select(None)
        self.changed.emit()


def _alternatives(actions: list[str]) -> str:
    """As "a", "a or b", or "a, b, or c"."""
    if len(actions) < 3:
        return " or ".join(actions)
    return f"{', '.join(actions[:-1])}, or {actions[-1]}"
