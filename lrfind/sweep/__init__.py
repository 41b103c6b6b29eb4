"""The range test: a plan of LRs, the divergence rule, the loop that joins them, and more range.

Free of torch: it drives anything that is a `Trainable`.
"""

from lrfind.sweep.auto_range import extended, lowered, range_notes
from lrfind.sweep.engine import Observer, Trainable, run_sweep
from lrfind.sweep.plan import Plan
from lrfind.sweep.stop import StopRule, StopState

__all__ = [
    "Observer",
    "Plan",
    "StopRule",
    "StopState",
    "Trainable",
    "extended",
    "lowered",
    "range_notes",
    "run_sweep",
]
