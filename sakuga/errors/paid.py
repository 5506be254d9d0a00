"""Errors about what viewers pay: a redemption that is not known, or that was used up."""

from sakuga.errors.request import RequestRefused


class RedemptionNotFound(RequestRefused):
    """No redemption had that id, or it was settled too long ago to be kept."""

    message = "There is no such redemption. GET /redemptions lists those that are due, held by a job, or settled."
    param = "id"


class RedemptionSpent(RequestRefused):
    """The redemption had been given back, or was used for a job that is no longer kept."""

    message = "This redemption is {state} already, and one is good for one job. Ask again with a new one."
    param = "redemption"
