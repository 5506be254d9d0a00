"""Logging: structured lines on standard error, named by past-tense events."""

import logging
import re
import sys
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from typing import Any

import structlog
from structlog.dev import plain_traceback

from sakuga.settings import Settings

SUBJECTS = ("request_id", "job_id", "cut")  # what lines are about
SECRET = re.compile(r"\b(sk|code)_[A-Za-z0-9_-]{16,}")  # keys and the codes of login links; see sakuga/keys.py


def discreet(line: str) -> str:
    """Return a line of the log without the keys and codes that slipped into it."""
    return SECRET.sub(r"\1_***", line)


class _Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


def _discreetly(_logger: Any, _method: str, line: Any) -> str:
    return discreet(line)


def configure(settings: Settings, process: str) -> None:
    """Set up logging for one process. Other libraries speak from warning upwards.

    Tracebacks come without the values of variables: they may be secrets or viewers' prompts.
    """
    level = getattr(logging, settings.log_level.upper())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=18, sort_keys=False, exception_formatter=plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if settings.log_format == "console" else "iso", utc=False),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer, _discreetly]
        if settings.log_format == "json"
        else [*shared, renderer, _discreetly],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_Discreet("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others])


def about(**what: str) -> AbstractContextManager[Any]:
    """Name what the lines are about (`job_id`, `cut`) that are said within, also by tasks that are begun within."""
    return structlog.contextvars.bound_contextvars(**what)


def apart() -> Context:
    """Return the context for a task that outlives what it is begun in: its lines are not about that."""
    context = copy_context()
    context.run(structlog.contextvars.unbind_contextvars, *SUBJECTS)
    return context


def get_logger(name: str) -> Any:
    """Return a logger for one room of the house."""
    return structlog.get_logger(name)
