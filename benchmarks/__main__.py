"""`python -m benchmarks`: measure everything and write README.md beside this file.

`--speed`, `--debugging`, `--quality` or `--categories` measures one part; the other parts of the
page are written from what was measured last. Results are kept in `out/`.
"""

from __future__ import annotations

import argparse

from benchmarks import categories, debugging, page, quality, speed


def main() -> None:
    """Measure what was asked for, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--speed", action="store_true", help="only how fast")
    parser.add_argument("--debugging", action="store_true", help="only findings, proofs and the gate")
    parser.add_argument("--quality", action="store_true", help="only how good; takes about 40 minutes")
    parser.add_argument("--categories", action="store_true", help="only our encoding beside CatBoost's own")
    asked = parser.parse_args()
    everything = not (asked.speed or asked.debugging or asked.quality or asked.categories)
    if asked.speed or everything:
        speed.measure()
    if asked.debugging or everything:
        debugging.measure()
    if asked.quality or everything:
        quality.measure_all()
    if asked.categories or everything:
        categories.measure()
    page.write()


if __name__ == "__main__":
    main()
