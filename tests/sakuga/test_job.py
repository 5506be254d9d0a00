from sakuga.job import RUNNING, TERMINAL, TRANSITIONS, WAITING, JobStatus, cut, new_job_id, sources_of


def test_every_status_is_waiting_running_or_terminal() -> None:
    assert frozenset(JobStatus) == WAITING | RUNNING | TERMINAL
    assert not WAITING & RUNNING
    assert not (WAITING | RUNNING) & TERMINAL


def test_an_end_is_final() -> None:
    assert set(TRANSITIONS) == set(JobStatus)
    assert all(not TRANSITIONS[status] for status in TERMINAL)


def test_only_a_checked_and_stored_render_succeeds() -> None:
    assert sources_of(JobStatus.SUCCEEDED) == {JobStatus.FINISHING}


def test_every_job_that_has_not_ended_can_be_cancelled() -> None:
    assert sources_of(JobStatus.CANCELLED) == WAITING | RUNNING


def test_job_ids_sort_in_the_order_of_creation() -> None:
    ids = [new_job_id() for _ in range(500)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 500


def test_cut_numbers_have_three_digits_or_more() -> None:
    assert [cut(7), cut(42), cut(1234)] == ["C-007", "C-042", "C-1234"]
