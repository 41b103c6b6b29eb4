"""The range test inside a training loop that the user keeps.

The loop computes losses and steps as ever; a sweep sets the LR of each update, takes the losses,
pairs them as `lrfind.curve` says, and reads the curve at the end, as `range_test` does.
"""

from lrfind.own_loop.block import Sweep
from lrfind.own_loop.call import sweep

__all__ = ["Sweep", "sweep"]
