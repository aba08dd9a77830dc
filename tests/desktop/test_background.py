"""Background work: results on the UI thread, stale results dropped, progress, cancellation, failures."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from desktop.background import Background, Job, Lane, as_work
from engine.errors import Cancelled, UserError


def test_work_runs_on_a_worker_and_its_result_arrives_on_the_ui_thread(qtbot: QtBot, background: Background) -> None:
    threads: list[object] = []

    def work() -> str:
        threads.append(QThread.currentThread())
        return "done"

    def take(answer: str) -> None:
        threads.append(QThread.currentThread())
        answers.append(answer)

    answers: list[str] = []
    background.start(as_work(work), take)
    qtbot.waitUntil(background.idle)
    assert answers == ["done"]
    assert threads[0] is not background.thread()
    assert threads[1] is background.thread()


def test_a_newer_request_of_a_key_supersedes_the_older_one(qtbot: QtBot, background: Background) -> None:
    gate = threading.Event()
    answers: list[int] = []
    background.start(as_work(lambda: gate.wait(10) and 1), answers.append, key="same")
    background.start(as_work(lambda: 2), answers.append, key="same")
    gate.set()
    qtbot.waitUntil(background.idle)
    assert answers == [2]


def test_a_waiting_request_is_cancelled_without_running(qtbot: QtBot, background: Background) -> None:
    gate, ran, ended = threading.Event(), [], []
    background.start(as_work(gate.wait, 10), lambda _: None, lane=Lane.MODEL)
    waiting = background.start(
        as_work(ran.append, 1), lambda _: None, lane=Lane.MODEL, cancelled=lambda: ended.append(1)
    )
    background.cancel(waiting)
    assert ended == [1]
    gate.set()
    qtbot.waitUntil(background.idle)
    assert ran == []


def test_running_work_sees_its_cancellation(qtbot: QtBot, background: Background) -> None:
    begun, answers, ended = threading.Event(), [], []

    def work(progress: object, cancelled: object) -> None:
        begun.set()
        while not cancelled():  # type: ignore[operator]
            threading.Event().wait(0.001)
        raise Cancelled

    job = background.start(work, answers.append, cancelled=lambda: ended.append(1))
    qtbot.waitUntil(begun.is_set)
    background.cancel(job)
    qtbot.waitUntil(background.idle)
    assert (answers, ended) == ([], [1])


def test_progress_ends_at_the_last_report_however_many_there_were(qtbot: QtBot, background: Background) -> None:
    seen: list[int] = []

    def work(progress: object, cancelled: object) -> None:
        for step in range(1, 2001):
            progress(step, 2000, "files")  # type: ignore[operator]

    job = background.start(work, lambda _: None, title="Counting")
    job.progressed.connect(lambda: seen.append(job.done))
    qtbot.waitUntil(background.idle)
    assert seen[-1] == 2000
    assert seen == sorted(seen)


def test_a_user_error_is_shown_once(qtbot: QtBot, background: Background) -> None:
    def work() -> None:
        raise UserError("The drive is gone; plug it in.")

    shown, cleaned, problems = [], [], []
    background.problem.connect(problems.append)
    background.start(as_work(work), lambda _: None, failed=shown.append, shows_failure=True)
    qtbot.waitUntil(background.idle)
    assert [str(error) for error in shown] == ["The drive is gone; plug it in."]
    assert problems == []
    background.start(as_work(work), lambda _: None, failed=cleaned.append)
    background.start(as_work(work), lambda _: None)
    qtbot.waitUntil(background.idle)
    assert len(cleaned) == 1
    assert len(problems) == 2


def test_a_bug_always_emits_problem(qtbot: QtBot, background: Background) -> None:
    shown, problems = [], []
    background.problem.connect(problems.append)
    background.start(as_work(lambda: 1 / 0), lambda _: None, failed=shown.append, shows_failure=True)
    qtbot.waitUntil(background.idle)
    assert isinstance(problems[0], ZeroDivisionError)
    assert shown == problems


def test_work_must_be_requested_on_the_ui_thread(qtbot: QtBot, background: Background) -> None:
    refused = []

    def request() -> None:
        try:
            background.start(as_work(int), lambda _: None)
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=request)
    thread.start()
    thread.join()
    assert len(refused) == 1


class Frame:
    """Stand-in for the decoded pixels that a request carries."""


def test_a_request_is_freed_once_it_has_ended(qtbot: QtBot, background: Background) -> None:
    """After a result, a failure, a newer request while it ran, or a cancellation before it started."""
    gate, begun = threading.Event(), threading.Event()
    alive = weakref.WeakSet[Frame]()

    def request(work: Callable[[Frame], object], key: str = "") -> Job:
        frame = Frame()
        alive.add(frame)
        return background.start(as_work(work, frame), id, key=key, lane=Lane.MODEL, failed=id)

    def wait(frame: Frame) -> None:
        begun.set()
        gate.wait(20)

    def fail(frame: Frame) -> None:
        raise UserError("The file is cut short; copy it again.")

    request(wait, "same")
    qtbot.waitUntil(begun.is_set)
    request(id)
    request(fail)
    background.cancel(request(id))
    request(id, "same")
    assert len(alive) == 4  # the cancelled one is freed while the lane is busy
    gate.set()
    qtbot.waitUntil(background.idle)
    gc.collect()
    assert len(alive) == 0


def test_the_qt_bindings_do_not_leak_references_to_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python 3.11 lost a reference to None per call, and the app crashed after about 10,000."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("thing")
    assert sys.getrefcount(None) > before - 500


def test_paused_work_waits_and_goes_on_where_it_was(qtbot: QtBot, background: Background) -> None:
    asked = threading.Event()
    answers: list[bool] = []

    def work(progress: object, cancelled: Callable[[], bool]) -> bool:
        asked.wait(10)
        return cancelled()

    job = background.start(work, answers.append)
    background.pause(job)
    asked.set()
    others: list[int] = []
    background.start(as_work(lambda: 1), others.append)
    qtbot.waitUntil(lambda: others == [1])
    assert (answers, job.paused) == ([], True)
    background.pause(job, False)
    qtbot.waitUntil(background.idle)
    assert answers == [False]


def test_cancelled_work_gives_what_it_had_done_also_while_it_is_paused(qtbot: QtBot, background: Background) -> None:
    begun, stopped, ended = threading.Event(), [], []

    def work(progress: object, cancelled: Callable[[], bool]) -> int:
        begun.set()
        done = 0
        while not cancelled():
            done = 1
        return done

    job = background.start(work, lambda _: None, cancelled=lambda: ended.append(1), stopped=stopped.append)
    assert begun.wait(10)
    background.pause(job)
    background.cancel(job)
    qtbot.waitUntil(background.idle)
    assert (len(stopped), ended, job.paused) == (1, [], False)
