"""Errors of logging in at a platform: what to do stands in each."""

from sakuga.errors.studio import StudioError


class ClientIdMissing(StudioError):
    """A login was asked for without an application to log in to."""

    message = "{setting} is not set. {page} says how to register an application; it takes two minutes."


class LoginRefused(StudioError):
    """The platform did not let us ask for a login, or took one back."""

    message = "{platform} refused: {reason}. Compare {setting} with your application's; {page} says where it stands."


class LoginDeclined(StudioError):
    """The person at the platform said no."""

    message = "The login was declined at {platform}. Run the command again if that was not meant."


class LoginExpired(StudioError):
    """Nobody entered the code while it was valid."""

    message = "Nobody entered the code within {minutes} minutes. Run the command again for a new one."


class LoginMismatched(StudioError):
    """Somebody else logged in than was expected."""

    message = (
        "{login} logged in, but {setting} says {expected}. Nothing was kept. In the browser, log in to {platform} as "
        "{expected} and run the command again, or change {setting}."
    )


class LoginDivided(StudioError):
    """One account was to be bot and channel by two logins, each of which is good for less than both."""

    message = (
        "{login} is already logged in as the {other}, and one login has to do for both. Nothing was kept. "
        "Run .venv/bin/python -m sakuga login twitch without --as."
    )


class LoginUnreachable(StudioError):
    """The platform did not answer."""

    message = "{platform} is not answering ({reason}). Check this machine's connection, and run the command again."
    retryable = True


class LoginLapsed(StudioError):
    """The platform took the tokens of an account no more."""

    message = "{platform} takes the login of {login} no more ({reason}). Log in again: {command}"
