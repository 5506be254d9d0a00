"""A dialect: how a language model is asked over HTTP, and how its answer is read."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from sakuga.helper import MOST_TOKENS

Tokens = Annotated[int, Field(ge=0, le=10_000_000)]
UNFINISHED = frozenset({"length", "max_tokens", "content_filter", "refusal", "tool_calls", "tool_use"})


@dataclass(frozen=True, slots=True)
class Wording:
    """What a model said, what it read and wrote in tokens, and whether it came to the end."""

    text: str
    tokens_in: int
    tokens_out: int
    whole: bool


class Dialect(Protocol):
    """One of the two ways in which models are spoken to."""

    url: str
    """Where its inventor's models are."""

    def headers(self, key: str | None) -> dict[str, str]:
        """Return what shows the key."""

    def question(self, url: str, model: str, instruction: str, idea: str) -> dict[str, Any]:
        """Return the body that asks."""

    def wording(self, answer: bytes) -> Wording:
        """Read an answer. Raises ValueError, of which a ValidationError is one."""


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _OpenAIUsage(BaseModel):
    prompt_tokens: Tokens
    completion_tokens: Tokens


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _OpenAIUsage


class OpenAI:
    """Chat completions, as OpenAI and nearly all servers of open models take them."""

    url = "https://api.openai.com/v1/chat/completions"

    def headers(self, key: str | None) -> dict[str, str]:
        """Return what shows the key."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def question(self, url: str, model: str, instruction: str, idea: str) -> dict[str, Any]:
        """Return the body that asks. OpenAI's newer models refuse the old name of the limit; others know no new one."""
        limit = "max_completion_tokens" if urlsplit(url).hostname == urlsplit(self.url).hostname else "max_tokens"
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": idea}]
        return {"model": model, "messages": messages, limit: MOST_TOKENS}

    def wording(self, answer: bytes) -> Wording:
        """Read an answer. Raises ValueError."""
        found = _Completion.model_validate_json(answer)
        choice = found.choices[0]
        return Wording(
            text=choice.message.content or "",
            tokens_in=found.usage.prompt_tokens,
            tokens_out=found.usage.completion_tokens,
            whole=choice.finish_reason not in UNFINISHED,
        )


class _Block(BaseModel):
    type: str
    text: str = ""


class _AnthropicUsage(BaseModel):
    input_tokens: Tokens
    output_tokens: Tokens


class _MessageAnswer(BaseModel):
    content: list[_Block]
    stop_reason: str | None = None
    usage: _AnthropicUsage


class Anthropic:
    """Messages, as Anthropic's models take them."""

    url = "https://api.anthropic.com/v1/messages"

    def headers(self, key: str | None) -> dict[str, str]:
        """Return what shows the key, and the version of the API that is spoken."""
        return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})

    def question(self, url: str, model: str, instruction: str, idea: str) -> dict[str, Any]:
        """Return the body that asks."""
        del url
        messages = [{"role": "user", "content": idea}]
        return {"model": model, "system": instruction, "messages": messages, "max_tokens": MOST_TOKENS}

    def wording(self, answer: bytes) -> Wording:
        """Read an answer. Raises ValueError."""
        found = _MessageAnswer.model_validate_json(answer)
        return Wording(
            text="".join(block.text for block in found.content if block.type == "text"),
            tokens_in=found.usage.input_tokens,
            tokens_out=found.usage.output_tokens,
            whole=found.stop_reason not in UNFINISHED,
        )


DIALECTS: dict[Literal["openai", "anthropic"], Dialect] = {"openai": OpenAI(), "anthropic": Anthropic()}
