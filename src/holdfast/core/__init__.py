"""The nouns and protocols: frozen values, no disk, no clock, no global randomness."""
