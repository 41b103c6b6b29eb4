"""What the processes of the tests have imported when they start: the nursery's server imports this.

Torch's compiler as well, which a rank imports as soon as it wraps a model for several processes.
Whatever exists by then is out of the garbage collector's sight, in every process that is forked.
"""

from __future__ import annotations

from lrfind.cli.preload import preload

preload(
    "lrfind.cli.app",
    "lrfind.cli.live",
    "lrfind.cli.run",
    "lrfind.console.progress",
    "lrfind.distributed.group",
    "lrfind.experiment",
    "lrfind.export",
    "lrfind.pinning",
    "lrfind.plot",
    "lrfind.workload.parallel.sharding",
    "numpy.random",
    "PIL.PngImagePlugin",
    "rich.table",
    "torch._dynamo",
)
