"""Benchmarks of engines on a CUDA card."""
