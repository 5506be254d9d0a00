"""A decision: why a moderator did something, if they said so."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sakuga.prompt import clean_line

Reason = Annotated[
    str,
    AfterValidator(clean_line),
    Field(default="", max_length=60, description="Why, for the audit log and the job's credits.", examples=[""]),
]


class Decision(BaseModel):
    """Why something is done, if somebody wants to say it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Reason = ""


def reason_of(why: Decision | None) -> str:
    """Return why a moderator decided so, for the audit log; nobody has to say it."""
    return why.reason if why else ""
