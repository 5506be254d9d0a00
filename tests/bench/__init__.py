"""Benchmarks: ours beside something known, in one run on the same server."""
