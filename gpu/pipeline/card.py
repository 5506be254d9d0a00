"""The card at work: waited for, and asked how much of its memory was taken. Without one, there is nothing to do."""

from gpu.pipeline.hardware import Hardware
from sakuga.engine import GIGABYTE


def wait(hardware: Hardware) -> None:
    """Return when the card has done what it was given, so that clocks measure its work and not the giving."""
    if hardware.is_cuda:
        import torch

        torch.cuda.synchronize()


def forget_peak(hardware: Hardware) -> None:
    """Begin to watch how much memory is taken."""
    if hardware.is_cuda:
        import torch

        torch.cuda.reset_peak_memory_stats()


def peak_gb(hardware: Hardware) -> float:
    """Return the most memory that was taken since `forget_peak`, in GiB."""
    if not hardware.is_cuda:
        return 0.0
    import torch

    return float(round(torch.cuda.max_memory_allocated() / GIGABYTE, 2))
