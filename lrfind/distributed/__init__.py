"""The processes of one run that a launcher started, on `torch.distributed` and nothing else.

Knows who they are, how they agree on numbers and how they tell each other of an error; what is
trained stands in `lrfind.workload.parallel`.
"""

from lrfind.distributed.failure import PeerError
from lrfind.distributed.world import ALONE, World, forget_launcher, who_speaks, world_of

__all__ = ["ALONE", "PeerError", "World", "forget_launcher", "who_speaks", "world_of"]
