"""The range test: a plan of LRs, the divergence rule, the loop that joins them, and more range.

Free of torch: it drives anything that is a `Trainable`.
"""

from lrfind.ramp.auto_range import extended, lowered, range_notes
from lrfind.ramp.engine import Observer, Trainable, run_sweep
from lrfind.ramp.plan import Plan
from lrfind.ramp.stop import StopRule, StopState

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
