"""What trains for a lock: sweeps to pin an LR, sweeps and trials to check one.

What a lock is, and every check that needs no training, stands in `lrfind.lock`.
"""

from lrfind.pinning.pin import PIN_SEEDS, pin
from lrfind.pinning.rerun import rerun

__all__ = ["PIN_SEEDS", "pin", "rerun"]
