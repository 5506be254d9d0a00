"""The gate's policy: which words the studio lets through, as the table ``[gate]`` of the studio file says."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal[
    "ar", "cs", "da", "de", "en", "eo", "es", "fa", "fi", "fil", "fr", "hi", "hu",
    "it", "ja", "kab", "ko", "nl", "no", "pl", "pt", "ru", "sv", "th", "tr", "zh",
]  # fmt: skip
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=2000)]


class GateCheckerEntry(BaseModel):
    """A checker that needs no key, on this machine for example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        max_length=300,
        description="Address of an OpenAI-compatible moderation endpoint, as in http://127.0.0.1:9000/v1/moderations.",
    )
    model: str = Field(default="", max_length=100, description="The model to ask for; the endpoint's own if empty.")


class GatePolicy(BaseModel):
    """What viewers may write; the table ``[gate]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["auto", "approve"] = Field(
        default="auto", description="`approve` holds every prompt until a moderator has looked at it."
    )
    languages: tuple[Language, ...] = Field(
        default=("en", "ja"), description="Languages whose shipped word lists are used; none if empty."
    )
    allow: Phrases = Field(default=(), description="Words and phrases that pass though a shipped list has them.")
    hold: Phrases = Field(default=(), description="Words and phrases that wait for a moderator.")
    refuse: Phrases = Field(default=(), description="Words and phrases that are refused.")
    hold_at: float = Field(default=0.4, gt=0, le=1, description="A checker's score that holds.")
    refuse_at: float = Field(default=0.9, gt=0, le=1, description="A checker's score that refuses.")
    checkers: tuple[GateCheckerEntry, ...] = Field(
        default=(), max_length=4, description="Checkers without a key, beside that of SAKUGA_MODERATION_URL."
    )

    @model_validator(mode="after")
    def _hold_comes_first(self) -> Self:
        if self.hold_at > self.refuse_at:
            msg = f"hold_at ({self.hold_at}) must not be above refuse_at ({self.refuse_at})"
            raise ValueError(msg)
        return self
