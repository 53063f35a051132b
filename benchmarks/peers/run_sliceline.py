"""DataDome's sliceline on levels and losses from a file; prints the seconds of a warm call, and its scores."""

import sys
import time

import numpy as np
from sliceline.slicefinder import Slicefinder

table = np.load(sys.argv[1])
top, support, alpha, deepest = (float(value) for value in sys.argv[2:6])
for _ in range(2):  # the first call compiles
    finder = Slicefinder(alpha=alpha, k=int(top), max_l=int(deepest), min_sup=int(support), verbose=False)
    started = time.perf_counter()
    finder.fit(table["codes"], table["loss"])
    seconds = time.perf_counter() - started
scores = [one["slice_score"] for one in finder.top_slices_statistics_]
print(seconds, *scores)
