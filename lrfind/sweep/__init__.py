"""The range test: a plan of LRs, the divergence rule, and the loop that joins them.

Free of torch: it drives anything that is a `Trainable`.
"""

from lrfind.sweep.engine import Observer, Trainable, run_sweep
from lrfind.sweep.plan import Plan
from lrfind.sweep.stop import StopRule, StopState

__all__ = ["Observer", "Plan", "StopRule", "StopState", "Trainable", "run_sweep"]
