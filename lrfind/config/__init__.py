"""A YAML 1.2 file and `--set` overrides to a `Spec`, or every problem at once with its line.

Reading a config never runs code; only `check_targets` imports what it names.
"""

from lrfind.config.arguments import callable_with_args
from lrfind.config.config import Config, load
from lrfind.config.origin import in_file_order
from lrfind.config.targets import check_targets, target_sections

__all__ = [
    "Config",
    "callable_with_args",
    "check_targets",
    "in_file_order",
    "load",
    "target_sections",
]
