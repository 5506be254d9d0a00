import logging
from collections.abc import Iterator

import pytest
import structlog

from sakuga import log
from sakuga.settings import Settings


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    handlers = list(logging.getLogger().handlers)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:] = handlers


def broken(password: str) -> float:
    return len(password) / 0


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_names_the_lines_but_never_the_values_of_variables(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(Settings(log_format=log_format), "test")
    try:
        broken("hunter2".swapcase())
    except ZeroDivisionError:
        log.get_logger("test").exception("job.broke", job_id="job_1")
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "job_1" in said
    assert "HUNTER2" not in said


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_level="info"), "test")
    log.get_logger("test").debug("prompt.read", prompt="girl with sword")
    log.get_logger("test").info("job.started", job_id="job_1")
    said = capsys.readouterr().err
    assert "job.started" in said
    assert "girl" not in said


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_key_or_a_code_that_slips_into_a_line_is_blotted_out(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    log.configure(Settings(log_format=log_format), "test")
    key, code = "sk_" + "Ab3-_" * 8, "code_" + "x-Y" * 10
    log.get_logger("test").warning("request.broke", path=f"/login/{code}", headers={"authorization": f"Bearer {key}"})
    try:
        int(key)
    except ValueError:
        log.get_logger("test").exception("job.broke", job_id="job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB")
    logging.getLogger("other").warning("sent %s", key)
    said = capsys.readouterr().err
    assert "job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB" in said
    assert "sent sk_***" in said
    assert key not in said
    assert code not in said
