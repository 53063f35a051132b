"""`python -m benchmarks`: measure everything and write README.md beside this file.

`--speed` or `--quality` measures one half; the other half of the page is written from
what was measured last. Results are kept in `out/`.
"""

from __future__ import annotations

import argparse

from benchmarks import page, quality, speed


def main() -> None:
    """Measure what was asked for, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--speed", action="store_true", help="only how fast")
    parser.add_argument("--quality", action="store_true", help="only how good; takes about 40 minutes")
    asked = parser.parse_args()
    if asked.speed or not asked.quality:
        speed.measure()
    if asked.quality or not asked.speed:
        quality.measure_all()
    page.write()


if __name__ == "__main__":
    main()
