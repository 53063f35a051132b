"""Holdfast trains models that only get better."""

__version__ = "0.1.0"
