"""`python -m benchmarks.suggestion oracle|sweeps|peers|report`."""

from __future__ import annotations

from benchmarks.suggestion.command import main

main()
