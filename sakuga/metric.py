"""Metrics: the names under which the studio can be measured, what they mean, and how they are split up."""

from dataclasses import dataclass
from typing import Literal

SECONDS = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
"""Upper bounds of the steps in which waits and renders are counted; the scripts are told the same ones."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. Each of its `labels` takes few values, all of them ours: no viewer, no job, no word of a prompt."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


# What scripts count in Redis, by the word that they use for it. Money is counted in millionths of a dollar.
COUNTED = {
    "accepted": Family("sakuga_jobs_accepted_total", "counter", "Requests that became jobs.", ("lane",)),
    "attempts": Family(
        "sakuga_attempts_total", "counter", "Renders that were begun, the ones after a failure too.", ("engine",)
    ),
    "ended": Family(
        "sakuga_jobs_ended_total",
        "counter",
        "Jobs that have ended; the code says why one failed.",
        ("outcome", "code"),
    ),
    "leases_lost": Family(
        "sakuga_leases_lost_total", "counter", "Jobs that were taken over from a worker that died or stood still."
    ),
    "reconciled": Family(
        "sakuga_jobs_reconciled_total",
        "counter",
        "Jobs that nobody held any more, and what upkeep did to them.",
        ("outcome",),
    ),
    "helped": Family(
        "sakuga_helper_total", "counter", "Prompts that the helper was given, and what came of it.", ("outcome",)
    ),
    "spent": Family("sakuga_spent_usd_total", "counter", "Dollars that attempts cost.", ("engine",)),
    "refilled": Family("sakuga_refilled_usd_total", "counter", "Dollars that were added to the limits.", ("source",)),
}
OBSERVED = {
    "wait": Family("sakuga_wait_seconds", "histogram", "Seconds from the request to a free slot.", ("lane",)),
    "render": Family(
        "sakuga_render_seconds",
        "histogram",
        "Seconds that the renders of finished clips took.",
        ("engine", "preset"),
    ),
}
MONEY = {"spent", "refilled"}

# What is looked up when somebody asks.
NOW = {
    family.name: family
    for family in (
        Family("sakuga_build_info", "gauge", "1, with the version.", ("version",)),
        Family("sakuga_broker_up", "gauge", "Whether Redis answers; without it there is only this and HTTP."),
        Family(
            "sakuga_jobs",
            "gauge",
            "Jobs that have not ended. The lane of those behind the first 2 000 that wait is `unlisted`.",
            ("status", "lane"),
        ),
        Family("sakuga_oldest_wait_seconds", "gauge", "Seconds since the oldest request that waits; held ones apart."),
        Family("sakuga_slots", "gauge", "Renders that may run at a time."),
        Family("sakuga_slots_busy", "gauge", "Slots in use."),
        Family("sakuga_queue_open", "gauge", "Whether requests are taken."),
        Family("sakuga_queue_paused", "gauge", "Whether nobody is started."),
        Family("sakuga_session_live", "gauge", "Whether a stream session is on."),
        Family("sakuga_workers", "gauge", "Workers that were seen a moment ago."),
        Family("sakuga_renderers_up", "gauge", "Workers of these that could draw now."),
        Family("sakuga_gpus_warm", "gauge", "Workers of these with a model in memory."),
        Family("sakuga_renderer_trouble", "gauge", "Workers whose renderer is in trouble.", ("code",)),
        Family("sakuga_stage_managed", "gauge", "Whether the stage manager is there."),
        Family("sakuga_clips", "gauge", "Clips in the gallery."),
        Family("sakuga_events_kept", "gauge", "Entries of the event log."),
        Family("sakuga_webhooks", "gauge", "Webhooks.", ("state",)),
        Family("sakuga_webhook_messages", "gauge", "Messages to webhooks that wait or were given up.", ("state",)),
        Family("sakuga_eta_judged", "gauge", "Kept promises and broken ones among the last 600 jobs with a slot."),
        Family(
            "sakuga_eta_error_ratio",
            "gauge",
            "How far off these ETAs (p50) were, as a share of the true wait: half and nine tenths are better than so.",
            ("quantile",),
        ),
        Family("sakuga_eta_kept_ratio", "gauge", "Share of these whose clip was there within the p90."),
        Family("sakuga_budget_level", "gauge", "0 open, 1 soft, 2 hard."),
        Family("sakuga_budget_limit_usd", "gauge", "What may be spent, refills included; absent: no limit.", ("pot",)),
        Family("sakuga_budget_spent_usd", "gauge", "What was spent in this session and on this day (UTC).", ("pot",)),
        Family("sakuga_budget_left_usd", "gauge", "Neither spent nor promised; absent where none is set.", ("pot",)),
        Family("sakuga_budget_promised_usd", "gauge", "For jobs that have not ended."),
    )
}

# What each gateway counts for itself, since it began.
REQUESTS = Family("sakuga_http_requests_total", "counter", "Answers of this gateway.", ("method", "route", "status"))

FAMILIES = (*NOW.values(), *COUNTED.values(), *OBSERVED.values(), REQUESTS)
