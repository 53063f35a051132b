"""Arrays in, arrays out: intervals, bootstrap, tests, multiplicity, power."""
