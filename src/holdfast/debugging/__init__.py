"""Predictions -> Finding -> Fix -> proof: one file for each kind of finding."""
