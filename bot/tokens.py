"""Twitch tokens: the pair that the streamer gave, and the newer one that Twitch gave since."""

import json
import os
from dataclasses import asdict, dataclass, field

from sakuga.log import get_logger
from sakuga.settings import Settings

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A user token and what renews it. Neither shows in logs."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class TokenFile:
    """Keeps the newest pair in `var/twitch-tokens.json`, readable by the owner only.

    Twitch takes a refresh token of a public client once: the pair that came last is the only one that works.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = settings.var_dir / "twitch-tokens.json"
        self._given: TokenPair | None = None
        if settings.twitch_access_token and settings.twitch_refresh_token:
            self._given = TokenPair(
                settings.twitch_access_token.get_secret_value(), settings.twitch_refresh_token.get_secret_value()
            )

    def pairs(self) -> list[TokenPair]:
        """Return the pairs to try, best first: the kept one, then the one from the settings, for when it is newer."""
        return [pair for pair in (self._kept(), self._given) if pair]

    def save(self, pair: TokenPair) -> None:
        """Keep a pair. After a crash at any moment the file holds either the old one or this one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(pair), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def _kept(self) -> TokenPair | None:
        try:
            return TokenPair(**json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.warning("tokens.unreadable", path=str(self.path), error=type(error).__name__)
            return None
