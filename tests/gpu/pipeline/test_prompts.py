"""Prompts that were encoded are remembered."""

from typing import Any

import torch

from gpu.pipeline.prompts import PromptMemory


class Pipeline:
    """Encodes words as their length, and counts."""

    def __init__(self) -> None:
        self.encoded: list[Any] = []

    def encode_prompt(self, prompt: Any, *, device: Any = None, prompt_embeds: Any = None) -> Any:
        self.encoded.append(prompt)
        return prompt_embeds if prompt_embeds is not None else torch.tensor([len(str(prompt))])


def test_the_same_words_are_encoded_once_and_others_anew() -> None:
    pipe, spent = Pipeline(), []
    PromptMemory(pipe, spent.append)
    first = pipe.encode_prompt(["a cat"], device=torch.device("cpu"))
    again = pipe.encode_prompt(["a cat"], device=torch.device("cpu"))
    pipe.encode_prompt(["a dog"], device=torch.device("cpu"))
    pipe.encode_prompt("a cat", device=torch.device("meta"))
    assert first is again
    assert pipe.encoded == [["a cat"], ["a dog"], "a cat"]
    assert len(spent) == 3


def test_what_cannot_be_compared_is_not_remembered() -> None:
    pipe = Pipeline()
    PromptMemory(pipe, lambda _: None)
    for number in (1, 2):
        assert pipe.encode_prompt("a", prompt_embeds=torch.tensor([number])).item() == number


def test_the_longest_unused_is_forgotten() -> None:
    pipe = Pipeline()
    PromptMemory(pipe, lambda _: None, keep=2)
    for words in ("a", "b", "a", "c", "a", "b"):
        pipe.encode_prompt(words)
    assert pipe.encoded == ["a", "b", "c", "b"]


def test_large_ones_are_not_kept_in_numbers_that_would_fill_the_card() -> None:
    pipe = Pipeline()
    PromptMemory(pipe, lambda _: None, keep_bytes=16)  # an integer takes 8
    for words in ("a", "b", "c", "b", "a"):
        pipe.encode_prompt(words)
    assert pipe.encoded == ["a", "b", "c", "a"]


def test_one_that_is_too_large_by_itself_is_used_and_not_kept() -> None:
    pipe = Pipeline()
    PromptMemory(pipe, lambda _: None, keep_bytes=7)
    assert [pipe.encode_prompt("cat").item() for _ in range(2)] == [3, 3]
    assert pipe.encoded == ["cat", "cat"]


def test_the_time_that_is_told_ends_when_the_card_is_done() -> None:
    happened: list[str] = []
    pipe = Pipeline()
    PromptMemory(pipe, lambda _: happened.append("told"), wait=lambda: happened.append("waited"))
    pipe.encode_prompt("a")
    pipe.encode_prompt("a")
    assert happened == ["waited", "told"]
