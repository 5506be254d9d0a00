"""Errors of the queue: why a request could not join it, and why an act of a moderator changed nothing."""

from sakuga.errors.request import RequestRefused


class QueueClosed(RequestRefused):
    """The queue took no more requests."""

    message = "The queue is closed: what waits is still drawn, and nothing new is taken. Ask again when it opens."
    retryable = True

    def __init__(self, *, retry_after_s: int = 60) -> None:
        super().__init__(retry_after_s=retry_after_s)


class ViewerBanned(RequestRefused):
    """The viewer was kept out by a moderator."""

    message = "This viewer may not ask for clips here. A moderator can lift that: DELETE /bans/{viewer}."


class MessageRetracted(RequestRefused):
    """The chat message had been deleted."""

    message = "The chat message that asks for this was deleted. Write another one."
    param = "message_id"


class CoolingDown(RequestRefused):
    """The viewer had asked a moment ago."""

    message = "One request at a time: ask again in {retry_after_s} s."
    retryable = True


class ViewerBusy(RequestRefused):
    """The viewer had as many jobs waiting or in work as the lane allows."""

    message = "{active} of your jobs are waiting or being drawn, and {limit} may. Ask again when one is done."
    retryable = True


class BudgetSpent(RequestRefused):
    """What may be spent had been spent, or was promised to those who wait."""

    message = "The studio's budget is {level}. GET /budget says what is left and what would refill it."
    retryable = True


class PromptRefused(RequestRefused):
    """The prompt gate did not let the prompt pass."""

    message = "This prompt can't be drawn here ({reason}). Ask for something else."
    param = "prompt"


class JobChanged(RequestRefused):
    """Somebody else changed the job in the meantime."""

    message = "The job was changed by somebody else and is {status} now. Look at it again, then decide."
    param = "If-Match"


class JobNotTheirs(RequestRefused):
    """Somebody else had asked for the job."""

    message = "Somebody else asked for this job. Only who asked can withdraw it; a moderator can cancel any."
    param = "viewer"


class JobNotEnded(RequestRefused):
    """Only a job that has ended can be asked for once more."""

    message = "The job is {status}. Only one that has ended without a clip can be tried again."
    param = "job_id"


class BallotNotOpen(RequestRefused):
    """There was nothing to vote on."""

    message = "No vote is open. POST /ballots opens one."


class BallotOpen(RequestRefused):
    """One vote at a time."""

    message = "A vote is open until {closes_at}. Wait for its end, or close it with DELETE /ballots."


class BallotTooSmall(RequestRefused):
    """There was not enough to choose from."""

    message = "A vote needs {needed} waiting jobs, and {found} of these wait."


class ChoiceUnknown(RequestRefused):
    """The vote named nothing that can be voted for."""

    message = "{choice!r} is not on the ballot. Vote for 1 to {choices}, or for one of its jobs."
    param = "choice"


class ActNotFound(RequestRefused):
    """No act of a moderator had that id."""

    message = "There is no act {act_id!r} that can be undone. GET /audit lists them."
    param = "act_id"


class ActUndone(RequestRefused):
    """The act had been undone before."""

    message = "This was undone already. GET /audit says by whom."
    param = "act_id"
