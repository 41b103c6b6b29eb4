"""What an error means where several processes train together: whose it is."""

from __future__ import annotations

from lrfind.errors import ExitCode, LrfindError

_LOST = ("gloo/transport", "Connection closed by peer", "Connection reset by peer", "NCCL error")
"""What torch's backends say where the other end of a connection is gone."""


class PeerError(LrfindError):
    """Another rank failed, and this one cannot go on without it.

    Args:
        text: the rank, and what happened to it.
        exit_code: what that rank tells its caller.
    """

    def __init__(self, text: str, exit_code: ExitCode = ExitCode.BAD_INPUT) -> None:
        self.exit_code = exit_code
        super().__init__(text)


def lost_a_peer(error: BaseException | None) -> bool:
    """Tell an error that only says that another process is gone, however deep it is wrapped."""
    while error is not None:
        is_of_torch = isinstance(error, RuntimeError)
        if is_of_torch and any(part in str(error) for part in _LOST):
            return True
        error = error.__cause__
    return False
