"""What is told of an error, and what is not."""

import errno

import pytest
import torch

from gpu.trace import trace
from sakuga.errors import GpuMemoryExhausted, RenderFailed


def caught(error: Exception, cause: Exception | None = None) -> Exception:
    """Return an error as it is where it is caught."""
    with pytest.raises(type(error)) as found:
        raise error from cause
    return found.value


def test_it_names_types_and_places_from_the_first_cause_on_and_no_words() -> None:
    cause = caught(KeyError("the words of a viewer"))
    told = trace(caught(RenderFailed(reason="KeyError in wan"), cause)).splitlines()
    assert [line for line in told if not line.startswith(" ")] == ["KeyError", "RenderFailed: render_failed"]
    assert told[1].startswith(f"  {__file__}:")
    assert told[1].endswith(" in caught")


def test_an_error_that_was_raised_while_another_was_handled_tells_both_and_a_circle_ends() -> None:
    first, second = ValueError("words"), TypeError("words")
    first.__context__, second.__context__ = second, first
    assert trace(first) == "TypeError\nValueError\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/home/streamer/clip.mp4"),
            "OSError: No space left on device",
        ),
        (ModuleNotFoundError("No module named 'ftfy'", name="ftfy"), "ModuleNotFoundError: ftfy"),
        (torch.OutOfMemoryError("CUDA out of memory.\nMore"), "OutOfMemoryError: CUDA out of memory."),
        (GpuMemoryExhausted(engine="wan"), "GpuMemoryExhausted: gpu_memory_exhausted"),
    ],
)
def test_words_that_no_viewer_can_have_written_are_told(error: Exception, told: str) -> None:
    assert trace(error) == f"{told}\n"
