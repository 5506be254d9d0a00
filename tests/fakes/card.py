"""A card made of paper: its tensors are the CPU's in a wrapper that refuses to meet others, as CUDA's do.

What would raise "Expected all tensors to be on the same device" on a card raises it here, on a machine without one. It
calls itself `xla`, the one kind of device that torch takes for granted without any code of it being there. Gradients
must be off: torch would ask that code for them, and end the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Self

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from gpu.pipeline import hardware

PAPER = torch.device("xla", 0)
aten = torch.ops.aten
INDEXED = {aten.index, aten.index_put, aten.index_put_}
"""Operations that take indices from the CPU, on CUDA too."""


class PaperTensor(torch.Tensor):
    """A tensor that says it lies on the card."""

    raw: torch.Tensor

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> Self:
        layout = {"strides": raw.stride(), "storage_offset": raw.storage_offset(), "dtype": raw.dtype}
        made = torch.Tensor._make_wrapper_subclass(cls, raw.size(), device=PAPER, **layout)
        made.raw = raw
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatched(func, args, kwargs or {})

    def __repr__(self) -> str:
        return f"PaperTensor({tuple(self.shape)}, {self.dtype})"


def _is_paper(device: Any) -> bool:
    return device is not None and torch.device(device).type == PAPER.type


def _unwrapped(values: Any) -> Any:
    return tree_map(lambda value: value.raw if isinstance(value, PaperTensor) else value, values)


def _wrapped(values: Any) -> Any:
    return tree_map(lambda value: PaperTensor(value) if type(value) is torch.Tensor else value, values)


def _papers(values: Any) -> list[PaperTensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, PaperTensor)]


def _refuse_strangers(func: Any, values: Any) -> None:
    strangers = [
        tuple(leaf.shape)
        for leaf in tree_leaves(values)
        if isinstance(leaf, torch.Tensor) and not isinstance(leaf, PaperTensor) and leaf.dim()
    ]
    if strangers:
        message = f"Expected all tensors to be on the same device: {func} got the CPU's {strangers}"
        raise RuntimeError(message)


def _dispatched(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name, plain = func.overloadpacket, {key: value for key, value in kwargs.items() if key != "device"}
    papers, device = _papers((args, kwargs)), kwargs.get("device")
    if name is aten.copy_:
        _unwrapped(args[0]).copy_(_unwrapped(args[1]))
        return args[0]
    if name is aten._to_copy:
        found = func(_unwrapped(args[0]), **plain)
        goes = isinstance(args[0], PaperTensor) if device is None else _is_paper(device)
        return PaperTensor(found) if goes else found
    if papers and name not in INDEXED:
        _refuse_strangers(func, (args, kwargs))
    raw_args, raw_kwargs = _unwrapped((args, plain))
    found = func(*raw_args, **raw_kwargs)
    if name is aten._local_scalar_dense or not (_is_paper(device) if device is not None else papers):
        return found
    own = {id(paper.raw): paper for paper in papers}  # what was changed in place
    return tree_map(lambda value: own[id(value)] if id(value) in own else _wrapped(value), found)


class _Dispatching(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _is_paper(kwargs.get("device")) or _papers((args, kwargs)):
            return _dispatched(func, args, kwargs)
        return func(*args, **kwargs)


class _Calling(TorchFunctionMode):
    """Does by itself what torch's C++ would look for the device's own code for."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.__setitem__ and isinstance(args[0], PaperTensor):
            args[0].raw[_unwrapped(args[1])] = _unwrapped(args[2])
            return None
        if func in {torch.tensor, torch.as_tensor} and _is_paper(kwargs.get("device")):
            return PaperTensor(func(*_unwrapped(args), **_unwrapped(kwargs | {"device": None})))
        try:
            return func(*args, **kwargs)
        except RuntimeError as error:
            if "not linked" not in str(error):
                raise
        if func is not torch.Tensor.__getitem__:
            _refuse_strangers(func, (args, kwargs))
        found = func(*_unwrapped(args), **_unwrapped(kwargs))
        name = getattr(func, "__name__", "")
        return args[0] if name.endswith("_") and not name.endswith("__") else _wrapped(found)


class PaperCard(hardware.Hardware):
    """80 GB, and no CUDA."""

    @property
    def device(self) -> str:
        return str(PAPER)


@contextmanager
def paper_card(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have engines find a paper card, on which they compute in bf16."""
    card = PaperCard("paper", 80.0, (9, 0), is_cuda=False)
    monkeypatch.setattr(hardware.Hardware, "found", lambda *_: card)
    monkeypatch.setattr(hardware, "dtype_of", lambda _: torch.bfloat16)
    monkeypatch.setattr(torch.__future__, "get_overwrite_module_params_on_conversion", lambda: True)
    monkeypatch.setattr(torch, PAPER.type, SimpleNamespace(), raising=False)  # where torch.cuda would be
    _offload_by_swapping(monkeypatch)
    with torch.no_grad(), _Dispatching(), _Calling():
        yield


def _offload_by_swapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have diffusers' group offloading exchange tensors, since the numbers of one can't be given another device."""
    from diffusers.hooks.group_offloading import ModuleGroup  # noqa: PLC0415

    def exchange(tensor: Any, other: torch.Tensor) -> None:
        made = torch.nn.Parameter(other, requires_grad=False) if isinstance(tensor, torch.nn.Parameter) else other
        torch.utils.swap_tensors(tensor, made)

    def onload(self: Any, tensor: Any, source: Any, stream: Any) -> None:
        if not isinstance(tensor, PaperTensor):
            exchange(tensor, PaperTensor(tensor.detach().clone()))

    def offload(self: Any) -> None:
        held = [weight for part in self.modules for weight in (*part.parameters(), *part.buffers())]
        for tensor in (*held, *self.parameters, *self.buffers):
            if isinstance(tensor, PaperTensor):
                exchange(tensor, tensor.raw.clone())

    monkeypatch.setattr(ModuleGroup, "_transfer_tensor_to_device", onload)
    monkeypatch.setattr(ModuleGroup, "_offload_to_memory", offload)
