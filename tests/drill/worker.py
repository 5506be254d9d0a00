"""`python -m tests.drill.worker`: the studio's worker, with the farm for its renderer."""

import sys

import worker.__main__ as process
from tests.drill.renderer import FarmRenderer

if __name__ == "__main__":
    process.open_renderer = FarmRenderer  # type: ignore[assignment]
    sys.exit(process.main())
