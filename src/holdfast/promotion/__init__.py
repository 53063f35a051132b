"""Verdict -> Release: guards, the gate, reviews and the card."""
