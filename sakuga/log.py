"""Logging: structured lines on standard error, named by past-tense events."""

import logging
import sys
from typing import Any

import structlog
from structlog.dev import plain_traceback

from sakuga.settings import Settings


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
        processors=[*shared, structlog.processors.format_exc_info, renderer]
        if settings.log_format == "json"
        else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def get_logger(name: str) -> Any:
    """Return a logger for one room of the house."""
    return structlog.get_logger(name)
