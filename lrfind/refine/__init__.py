"""Trial trainings around the sweep's answer: where it is tried out instead of read off.

`Trial` and the climb are free of torch, since reports hold them; what trains is loaded on use.
"""

from lrfind.refine.trial import Trial

__all__ = ["Trial"]
