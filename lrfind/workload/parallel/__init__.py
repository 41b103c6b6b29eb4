"""One training spread over the ranks of a group: shares of batches, mean losses, mean gradients.

A `TorchTrainable` needs to know nothing of it: its batches are this rank's share already, and its
objective gives the loss of all ranks.
"""

from lrfind.workload.parallel.fit import require_fit
from lrfind.workload.parallel.strategy import Parallel

__all__ = ["Parallel", "require_fit"]
