"""Measurements: how fast, how good. `python -m benchmarks` writes README.md beside this file."""
