"""The card is waited for where there is one, and only there."""

import pytest
import torch

from gpu.pipeline import card
from gpu.pipeline.hardware import Hardware


def test_without_a_card_there_is_nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cuda, "synchronize")
    none = Hardware("cpu")
    card.wait(none)
    card.forget_peak(none)
    assert card.peak_gb(none) == 0


def test_a_card_is_waited_for_and_its_peak_is_that_since_it_was_last_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: done.append("waited"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: done.append("forgotten"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 * 1024**3 // 2)
    hopper = Hardware("NVIDIA H100", 80.0, (9, 0), is_cuda=True)
    card.forget_peak(hopper)
    card.wait(hopper)
    assert done == ["forgotten", "waited"]
    assert card.peak_gb(hopper) == 1.5
