"""FakeTwitch: the parts of Twitch that the bot touches, on a loopback port, and a chat to speak in."""

from pathlib import Path

from bot.twitch.scopes import SEATS, wanted
from bot.twitch.tokens import TokenFile
from sakuga.settings import Settings
from tests.fakes.twitch_chat import TwitchChat
from tests.fakes.twitch_server import BOT, CLIENT_ID, CLIENT_SECRET, JO, LOGINS, MIKA, STREAMER
from tests.fakes.twitch_shop import TwitchShop

__all__ = ["BOT", "CLIENT_ID", "CLIENT_SECRET", "JO", "LOGINS", "MIKA", "STREAMER", "FakeTwitch"]


class FakeTwitch(TwitchChat, TwitchShop):
    """Issue tokens, `say` things as a viewer, look at what the bot `sent`; see the rooms that it is joined from."""

    def settings(self, var_dir: Path, account: str = BOT) -> dict[str, str]:
        """Log an account in, that speaks, and the streamer's, into a folder; return what else has to be set, by field.

        Both may be the same one.
        """
        tokens = TokenFile(Settings.model_construct(var_dir=var_dir))
        if account == STREAMER:
            tokens.take(self.account(STREAMER), *SEATS)
        else:
            tokens.take(self.account(account, wanted("bot")), "bot")
            tokens.take(self.account(STREAMER, wanted("channel")), "channel")
        return {"twitch_api_base": self.url, "twitch_client_id": CLIENT_ID, "twitch_client_secret": CLIENT_SECRET}
