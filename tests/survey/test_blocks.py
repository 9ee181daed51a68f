"""Blocks: the same results in the same order, in this process or in several."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from survey.blocks import open_executor, run_all


def double(number):
    return 2 * number


def process_of(_number):
    return os.getpid()


def fail_at_five(number):
    if number == 5:
        raise ValueError("five")
    return number


@pytest.fixture(scope="module")
def processes():
    with open_executor(2) as executor:
        yield executor


def test_one_worker_needs_no_process():
    with open_executor(1) as executor:
        assert executor is None
        assert set(run_all(process_of, range(9), executor=executor)) == {os.getpid()}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 100])
def test_results_come_in_the_order_of_the_work(processes, count):
    expected = [2 * n for n in range(count)]
    assert list(run_all(double, range(count), executor=processes)) == expected
    assert list(run_all(double, range(count), executor=None)) == expected


def test_processes_take_the_work(processes):
    assert os.getpid() not in set(run_all(process_of, range(20), executor=processes))


def test_little_work_stays_here(processes):
    assert set(run_all(process_of, range(3), executor=processes)) == {os.getpid()}


def test_any_executor_will_do():
    with ThreadPoolExecutor(3) as executor:
        assert list(run_all(double, range(50), executor=executor)) == [2 * n for n in range(50)]


def test_progress_is_told_after_every_piece():
    told = []
    works = run_all(
        double, range(3), executor=None, stage="aligning", progress=lambda *said: told.append(said)
    )
    assert list(works) == [0, 2, 4]
    assert told == [("aligning", 1, 3), ("aligning", 2, 3), ("aligning", 3, 3)]


def test_a_failure_reaches_the_caller_and_leaves_the_executor_usable(processes):
    with pytest.raises(ValueError, match="five"):
        list(run_all(fail_at_five, range(40), executor=processes))
    assert list(run_all(double, range(6), executor=processes)) == [0, 2, 4, 6, 8, 10]


def test_results_are_not_gathered_before_they_are_wanted():
    """The work runs as its results are taken: memory does not grow with the area."""
    seen = []
    results = run_all(seen.append, range(10), executor=None)
    assert seen == []
    next(results)
    assert seen == [0]


def test_a_caller_who_stops_early_leaves_the_executor_usable():
    with ThreadPoolExecutor(1) as executor:
        results = run_all(double, range(10_000), executor=executor)
        assert next(results) == 0
        results.close()
        assert executor.submit(double, 21).result(timeout=10) == 42
