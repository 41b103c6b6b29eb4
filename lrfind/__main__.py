"""`python -m lrfind`, which is what launchers such as torchrun start."""

import os
import sys
from contextlib import suppress

with suppress(OSError):
    # `python -m` puts the working folder first, where a stray numpy.py would pass for numpy.
    if sys.path[:1] == [os.getcwd()]:
        del sys.path[0]

from lrfind.cli import main

if __name__ == "__main__":
    main()
