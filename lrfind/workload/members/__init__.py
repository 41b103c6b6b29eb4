"""Members: several copies of one small model trained at once, with the results of one by one.

A step of a small network is mostly overhead: some forty operations of a few microseconds each.
Here each operation is done once for all members, and the forward and backward pass of a stack of
linear layers is written out, since autograd's own overhead would be most of what is left. Members
never touch each other, so each ends where it would have ended alone, to rounding.
"""

from lrfind.workload.members.fit import is_pair, misfit
from lrfind.workload.members.seeds import Seeds, why_alone
from lrfind.workload.members.stack import Stack

__all__ = ["Seeds", "Stack", "is_pair", "misfit", "why_alone"]
