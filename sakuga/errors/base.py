"""What every error of ours has: a stable code, a sentence, and whether trying again may help."""

import re
from typing import Any, ClassVar


class SakugaError(Exception):
    """Something went wrong that Sakuga has a name for."""

    code: ClassVar[str] = "sakuga_error"
    message: ClassVar[str]
    param: ClassVar[str | None] = None
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Name the code after the class: JobNotFound is job_not_found."""
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.message.format(**data))


class Unexpected(SakugaError):
    """An error without a name of its own reached the edge."""

    message = (
        "Something broke that should not have. The log names it under {reference}; please report it with that line."
    )
