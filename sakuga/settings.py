"""Settings from the environment: the one place that reads it. Each name below is SAKUGA_ plus the field in capitals."""

import difflib
import hashlib
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from sakuga.errors import KeyMissing, SettingsInvalid
from sakuga.webhook import signing

PREFIX = "SAKUGA_"
LONGEST_SOCKET_PATH = 100  # bytes; the kernels allow 103 to 107


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        msg = "names something twice"
        raise ValueError(msg)
    return names


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return timedelta(seconds=float(value))
    except OverflowError:
        msg = "should be a number of seconds"
        raise ValueError(msg) from None


def _fit_for_a_header(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{20,}", secret.get_secret_value()):
        msg = "should be 20 or more letters, digits and signs, without spaces"
        raise ValueError(msg)
    return secret


def _login(name: str) -> str:
    name = name.strip().removeprefix("@").lower()
    if not re.fullmatch(r"[a-z0-9_]{1,25}", name):
        msg = "should be a login name: letters, digits and _"
        raise ValueError(msg)
    return name


RendererName = Literal["rehearsal", "local", "modal"]
Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0), le=timedelta(days=1))]


class _OurLines(DotEnvSettingsSource):
    def __call__(self) -> dict[str, Any]:
        fields, found = self.settings_cls.model_fields, super().__call__()
        return {name: value for name, value in found.items() if name in fields or name.upper().startswith(PREFIX)}


class Settings(BaseSettings):
    """Everything that can be set from outside. A fresh clone needs none of it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    api_host: str = Field(default="127.0.0.1", description="Address that the gateway binds. Containers need 0.0.0.0.")
    api_port: int = Field(default=8420, ge=1, le=65535, description="Port of the gateway.")
    public_url: str | None = Field(default=None, description="Address of the gateway in links for viewers and pages.")
    gateway_url: str | None = Field(default=None, description="Where bot and stage manager find the gateway.")
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list, description="Further host names that the gateway answers to, separated by commas."
    )
    key: Annotated[SecretStr, AfterValidator(_fit_for_a_header)] | None = Field(
        default=None,
        description="A long secret that bot and stage manager show the gateway, which takes it for a bot's key.",
    )
    chat_key: Annotated[SecretStr, AfterValidator(_fit_for_a_header)] | None = Field(
        default=None,
        description="A moderator's key, by which the bot does what moderators write in chat; `demo` makes one.",
    )
    keyless_reads: bool = Field(
        default=True, description="Whether queue, stage, clips and events may be read without a key."
    )
    var_dir: Path = Field(default=Path("var"), description="Folder for everything that the studio writes.")
    studio_file: Path = Field(default=Path("studio.toml"), description="The show: styles, lanes, limits.")
    redis_url: SecretStr | None = Field(
        default=None, description="A Redis or Valkey to use instead of the embedded one, as in redis://host:6379/0."
    )
    storage_url: str | None = Field(
        default=None, description="Where clips are kept: a folder (default var/clips) or s3://bucket/prefix."
    )
    s3_endpoint: str | None = Field(default=None, description="Address of an S3-compatible server.")
    s3_region: str = Field(default="auto", description="Region of the bucket.")
    s3_access_key_id: SecretStr | None = Field(default=None, description="Key id for the bucket.")
    s3_secret_access_key: SecretStr | None = Field(default=None, description="Secret for the bucket.")
    renderer: Annotated[list[RendererName], NoDecode, BeforeValidator(_names), AfterValidator(_distinct)] = Field(
        default=["rehearsal"],
        min_length=1,
        description="Where engines run: rehearsal, local, modal. Later ones are taken while earlier ones are away.",
    )
    engines: Annotated[list[str], NoDecode, BeforeValidator(_names), AfterValidator(_distinct)] = Field(
        default_factory=list,
        description="Engines offered; the first is the default. If unset, those that the renderer has by itself.",
    )
    weights_dir: Path | None = Field(
        default=None, description="Folder of the weights for this PC's own card (var/weights if unset)."
    )
    media_dir: Path = Field(default=Path("media"), description="Folder of your LoRAs, pictures and videos.")
    modal_app: str = Field(default="sakuga", description="Name of the app on Modal.")
    modal_gpu: str | None = Field(default=None, description="GPU to rent instead of those that the engine prefers.")
    modal_idle: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=2),
        le=timedelta(hours=1),
        description="Seconds that a rented GPU waits for the next clip, and is paid for, before it goes.",
    )
    rehearsal_seconds: Seconds = Field(
        default=timedelta(seconds=6),
        description="Seconds that a rehearsal drawing takes at least; 0 is as fast as it can.",
    )
    slots: int = Field(default=1, ge=1, le=64, description="Renders at a time over all workers: one per GPU.")
    render_attempts: int = Field(default=2, ge=1, le=10, description="Times that a job is drawn before it fails.")
    render_timeout: Seconds = Field(
        default=timedelta(minutes=20),
        ge=timedelta(seconds=1),
        description="Longest time that a drawing may take, in seconds; "
        "to wait for a GPU and its model may take as long again.",
    )
    lease: Seconds = Field(
        default=timedelta(seconds=9),
        ge=timedelta(seconds=1),
        description="Seconds after which a dead worker's job is taken over; renewed three times within.",
    )
    moderation_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="An OpenAI-compatible moderation endpoint that is sent every text, as in "
        "https://api.openai.com/v1/moderations. While it gives no answer, jobs are held.",
    )
    moderation_key: SecretStr | None = Field(default=None, description="The key for it, sent to it alone.")
    moderation_model: str = Field(default="", max_length=100, description="The model to ask for; its own if empty.")
    helper: Literal["openai", "anthropic"] | None = Field(
        default=None, description="The language of a model that words prompts for the engine; none is asked without it."
    )
    helper_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="Its whole address, as in http://127.0.0.1:11434/v1/chat/completions; that of OpenAI or Anthropic.",
    )
    helper_key: SecretStr | None = Field(default=None, description="The key for it, sent to it alone.")
    helper_model: str = Field(default="", max_length=100, description="The model to ask for.")
    inbound_secret: Annotated[SecretStr, AfterValidator(signing)] | None = Field(
        default=None,
        description="The secret (whsec_ and base64) by which POST /inbound knows programs that ask; none are taken "
        "without it.",
    )
    webhooks_private: bool = Field(
        default=False,
        description="Whether webhooks may go to this machine and to private networks too, and over plain http.",
    )
    bot: bool = Field(default=True, description="Whether `python -m sakuga demo` starts the chat bot beside the rest.")
    twitch_client_id: str | None = Field(default=None, description="Client id of your Twitch application; no secret.")
    twitch_client_secret: SecretStr | None = Field(
        default=None, description="Its secret, when it is a confidential one."
    )
    twitch_channel: Annotated[str, AfterValidator(_login)] | None = Field(
        default=None, description="Login name of the channel; a login of another account is then refused."
    )
    twitch_bot: Annotated[str, AfterValidator(_login)] | None = Field(
        default=None, description="Login name of the account that speaks, if it is not the channel's own."
    )
    twitch_api_base: str | None = Field(default=None, description="Tests only: a server to use in Twitch's place.")
    youtube_api_key: SecretStr | None = Field(default=None, description="API key by which YouTube's live chat is read.")
    youtube_video: str | None = Field(default=None, description="The live video whose chat is read: address or id.")
    youtube_quota: int = Field(default=10_000, ge=100, description="Units of YouTube's API that a day has.")
    youtube_client_id: str | None = Field(default=None, description="OAuth client to log in to YouTube with.")
    youtube_client_secret: SecretStr | None = Field(default=None, description="Its secret; needed to answer there.")
    youtube_api_base: str | None = Field(default=None, description="Tests only: a server to use in YouTube's place.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line logged."
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read our own lines of `.env` only: Compose and Modal have theirs there too."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _OurLines(settings_cls)

    @classmethod
    def load(cls) -> Self:
        """Read the environment and `.env`. Raises SettingsInvalid with a sentence that names what to mend."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for name in sorted(os.environ):  # noqa: TID251 - this is the one place
            if name.startswith(PREFIX) and name.upper() not in known:
                raise SettingsInvalid(problem=_unknown(name, known))
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            if first["type"] == "extra_forbidden":
                raise SettingsInvalid(problem=_unknown(name.upper(), known)) from None
            raise SettingsInvalid(problem=f"{PREFIX}{name.upper()}: {first['msg']}.") from None

    def environ(self, **changes: object) -> dict[str, str]:
        """Return this process's environment with `changes` as settings, to start a child with."""
        return {**os.environ, **self.as_environ(**changes)}  # noqa: TID251

    @property
    def base_url(self) -> str:
        """Where this studio's gateway is found by people on this machine, without a slash at the end."""
        host = "127.0.0.1" if self.api_host in {"0.0.0.0", "::"} else self.api_host
        host = f"[{host}]" if ":" in host else host
        return (self.public_url or f"http://{host}:{self.api_port}").rstrip("/")

    @property
    def gateway(self) -> str:
        """Where bot and stage manager find the gateway, without a slash at the end."""
        return (self.gateway_url or self.base_url).rstrip("/")

    def as_environ(self, **settings: object) -> dict[str, str]:
        """Return some settings as the environment of a child names them."""
        return {PREFIX + name.upper(): str(value) for name, value in settings.items()}

    @property
    def own_key(self) -> str:
        """What a program of ours shows the gateway. Raises KeyMissing."""
        if self.key is None:
            raise KeyMissing
        return self.key.get_secret_value()

    @property
    def weights(self) -> Path:
        """Where the weights for this PC's own card lie."""
        return self.weights_dir or self.var_dir / "weights"

    @property
    def socket(self) -> Path:
        """The unix socket of the embedded server; among temporary files where its path would be too long."""
        path = self.var_dir.resolve() / "broker" / "valkey.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        name = hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"sakuga-{name}" / "valkey.sock"

    @property
    def broker_url(self) -> str:
        """The Redis to use, with its password if it has one: not for logs."""
        return self.redis_url.get_secret_value() if self.redis_url else f"unix://{self.socket}"


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " docs/reference/settings.md lists those that exist."
    return f"There is no setting {name}.{hint}"
