"""Families of models. Training libraries are imported here and nowhere else."""
