"""A run in the user's experiment tracker: curve, suggestion, figure and config.

One file a tracker, each through its own client, which is imported only where it is used. A place
is tried before the sweep, so that a wrong one is told at once; what fails after it costs the entry
in the tracker, never the run, whose files are written before.
"""
