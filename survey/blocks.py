"""Run a function over many pieces of work, in this process or in several, in a fixed order."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

import cv2

from survey.errors import OrthowatchError
from survey.words import _

__all__ = ["Progress", "open_executor", "run_all"]

Work = TypeVar("Work")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) after every finished piece of work."""

# Enough work in flight to keep every process busy, few enough results to hold at once.
_AHEAD = 4
# Below this many pieces, starting processes costs more than it saves.
_WORTH_A_PROCESS = 4


class _Worker(SpawnProcess):
    """A process that leaves an interrupt to the one that started it.

    Ctrl-C reaches the whole process group; the signal is held back before the process starts, so
    that it cannot be caught half-way through its imports either.
    """

    def start(self) -> None:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _Workers(SpawnContext):
    """Spawned, not forked: GDAL and OpenCV hold threads and locks that a fork would copy."""

    Process = _Worker


def _start_worker() -> None:
    """Make a worker use one thread, and end with the process that started it."""
    # The processes already fill the cores.
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """Wait for a killed parent: nobody would ever ask its workers for anything again."""
    connection.wait([sentinel])
    os._exit(1)


@contextmanager
def open_executor(workers: int) -> Iterator[Executor | None]:
    """Yield an executor of ``workers`` processes (0: one for each core), or None for one."""
    count = workers or os.cpu_count() or 1
    if count == 1:
        yield None
        return
    with ProcessPoolExecutor(count, mp_context=_Workers(), initializer=_start_worker) as executor:
        try:
            yield executor
        except BrokenExecutor as error:
            _stop_feeding(executor)
            raise OrthowatchError(
                _("a worker process died, most likely for want of memory; try --workers 1")
            ) from error
        except BaseException:
            # Nobody waits for what they are at, and nothing of theirs is on the disk. Their work
            # must not be cancelled first: Python 3.11 hangs where a worker ends on cancelled work.
            _stop_feeding(executor)
            for process in multiprocessing.active_children():
                if isinstance(process, _Worker):
                    process.terminate()
            raise


def _stop_feeding(executor: ProcessPoolExecutor) -> None:
    """Close our end of the pipe that workers read their work from.

    As long as it is open, Python before 3.11.5 waits for ever to write the next piece of work to
    workers that are gone (CPython issue 94777; Debian 12 has 3.11.2). Later versions close it too.
    """
    queue: Any = getattr(executor, "_call_queue", None)
    if queue is not None:
        queue._reader.close()


def run_all(
    function: Callable[[Work], Result],
    works: Iterable[Work],
    *,
    executor: Executor | None,
    stage: str = "",
    progress: Progress | None = None,
) -> Iterator[Result]:
    """Yield ``function(work)`` for every piece of work, in the order given.

    Parameters
    ----------
    function
        A module-level function (it is sent to other processes).
    works
        The pieces; each must be picklable.
    executor
        Any ``concurrent.futures.Executor``; None runs everything here.
    stage
        Name of this stage, for ``progress``.
    progress
        Told after every result.
    """
    pieces = list(works)
    if executor is None or len(pieces) < _WORTH_A_PROCESS:
        results: Iterator[Result] = map(function, pieces)
    else:
        results = _in_order(function, pieces, executor)
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(stage, done, len(pieces))
        yield result


def _in_order(
    function: Callable[[Work], Result], pieces: list[Work], executor: Executor
) -> Iterator[Result]:
    ahead = _AHEAD * (os.cpu_count() or 1)
    waiting: list[Future[Result]] = []
    for piece in pieces:
        waiting.append(executor.submit(function, piece))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    while waiting:
        yield waiting.pop(0).result()
