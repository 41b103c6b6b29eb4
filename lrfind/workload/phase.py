"""What a workload is doing: whom to blame when the user's own code raises."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """A stretch of a run in which the user's code is called.

    Attributes:
        key: the section of the config that names the code.
        doing: what was being done, for an error message.
    """

    LOSS = ("loss", "building the loss")
    DATA = ("data", "reading the data")
    VALIDATION = ("sweep.validation", "reading the held-out data")
    MODEL = ("model", "building the model")
    OPTIMIZER = ("optimizer", "building the optimizer")
    FORWARD = ("model", "computing the loss")
    BACKWARD = ("model", "the backward pass")
    UPDATE = ("optimizer", "the optimizer's step")

    def __init__(self, key: str, doing: str) -> None:
        self.key = key
        self.doing = doing
