"""An end in good order for a run that is told to end: Ctrl-C, SIGTERM, a hang-up, a time limit.

The main thread is asked first, by a KeyboardInterrupt, and only once: what it does then to save
what was measured is not disturbed. Where it does not come out of the user's code, because that
swallows the exception or stands in C code, a second thread saves in its place and ends the
process. Knows nothing of sweeps and files: whoever measures says how to save.

A thread cannot run while C code keeps the interpreter's lock. Against a time limit the system's own
alarm stands behind it, which ends the process with SIGALRM and shows where it stood; what was
measured up to then is on disk, at most a second behind.
"""

from __future__ import annotations

import faulthandler
import math
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from enum import Enum
from types import FrameType, TracebackType
from typing import NoReturn

from lrfind.errors import ExitCode

LAST_RESORT_S = 10.0
"""Time after a time limit, at which a process that never left its C code is ended."""


class Cause(Enum):
    """Why a run is told to end.

    Attributes:
        title: as the user knows it.
        code: what the process tells its caller.
        patience_s: time for the main thread to come out of the user's code.
        limit_s: time after which the process ends, whatever was saved.
    """

    INTERRUPT = ("Ctrl-C", ExitCode.INTERRUPTED, 5.0, 60.0)
    TERMINATE = ("SIGTERM", ExitCode.INTERRUPTED, 0.6, 1.7)
    HANGUP = ("SIGHUP", ExitCode.INTERRUPTED, 0.6, 1.7)
    TIMEOUT = ("--timeout", ExitCode.TIMED_OUT, 1.0, LAST_RESORT_S - 1.0)

    def __init__(self, title: str, code: ExitCode, patience_s: float, limit_s: float) -> None:
        self.title = title
        self.code = code
        self.patience_s = patience_s
        self.limit_s = limit_s


_CAUSES = {
    getattr(signal, name): cause
    for name, cause in (
        ("SIGINT", Cause.INTERRUPT),
        ("SIGTERM", Cause.TERMINATE),
        ("SIGHUP", Cause.HANGUP),
    )
    if hasattr(signal, name)
}


class Guard:
    """Watches over a run while its `with` block lasts.

    Args:
        timeout_s: time limit for all of it; None: none.

    Attributes:
        timeout_s: the time limit.
        cause: why the run is to end; None while it may go on.
        stack: where the main thread stood when it was asked to end, outermost frame first.
        rescue: saves what was measured, in a thread of its own; None while there is nothing.
    """

    def __init__(self, timeout_s: float | None = None) -> None:
        self.cause: Cause | None = None
        self.stack = traceback.StackSummary()
        self.rescue: Callable[[], None] | None = None
        self.timeout_s = timeout_s
        self._told_at = math.inf
        self._heard = 0
        self._was_asked = False
        self._is_settled = False
        self._is_over = False
        # Held by whoever ends the run: the main thread or the rescue, never both.
        self._end = threading.Lock()
        self._main = threading.get_ident()
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._thread = threading.Thread(target=self._watch, name="lrfind guard", daemon=True)

    def __enter__(self) -> Guard:
        global _active
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._mouth, False)
        for number in _CAUSES:
            # What the caller chose to ignore (nohup, a job in the background) stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        self._wakeup = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
        if self.timeout_s is not None:
            _arm_alarm(self.timeout_s + LAST_RESORT_S)
        _active = self
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global _active
        self.settle()
        _active = None
        self._is_over = True
        os.write(self._mouth, b"\0")
        self._thread.join()
        self.restore()
        if self.timeout_s is not None:
            _disarm_alarm()
        os.close(self._ear)
        os.close(self._mouth)

    def settle(self) -> None:
        """Raise no more: what is left to do takes a moment, and the main thread does it."""
        if self._is_settled:
            return
        self._is_settled = True
        if not self._end.acquire(blocking=False):
            _wait_for_the_end()

    def resume(self) -> None:
        """Let the main thread be asked again, before more of the user's code is run.

        Raises:
            KeyboardInterrupt: it was told to end in the meantime.
        """
        if self._is_settled:
            self._is_settled = False
            self._end.release()
        if self.cause is not None:
            self._was_asked = True
            raise KeyboardInterrupt

    def restore(self) -> None:
        """Give the signals back to whoever had them."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Ask the main thread, at whatever line it is."""
        self._begin(_CAUSES[signal.Signals(number)])
        if self._was_asked or self._is_settled:
            return
        self._was_asked = True
        self.stack = traceback.extract_stack(frame)
        raise KeyboardInterrupt

    def _begin(self, cause: Cause) -> None:
        """Note the first cause; later ones change nothing about it."""
        if self.cause is None:
            self._told_at = time.monotonic()
            self.cause = cause

    def _watch(self) -> None:
        """Wait for a signal or the time limit, then for the main thread, but not for ever."""
        limit = math.inf if self.timeout_s is None else time.monotonic() + self.timeout_s
        is_rescuing = False
        while not self._is_over:
            cause = self.cause
            if cause is None:
                self._listen(limit)
                if self.cause is None and time.monotonic() >= limit:
                    limit = math.inf
                    # All that is left then is to save: let it be done.
                    if not self._is_settled:
                        self._begin(Cause.TIMEOUT)
                        self._ask()
                continue
            # Whoever asks twice has waited long enough.
            patience_s = min(cause.patience_s, 1.0 if self._heard > 1 else math.inf)
            rescue_at = self._told_at + patience_s
            end_at = self._told_at + cause.limit_s
            if time.monotonic() >= end_at:
                _leave(cause.code)
            if time.monotonic() >= rescue_at and not is_rescuing:
                is_rescuing = self._end.acquire(blocking=False)
                if is_rescuing:
                    threading.Thread(target=self._save_and_leave, daemon=True).start()
            is_waiting = is_rescuing or time.monotonic() >= rescue_at
            self._listen(end_at if is_waiting else rescue_at)

    def _listen(self, until: float) -> None:
        """Sleep, unless a signal comes; it is heard at once, also while the main thread is not."""
        left = None if until == math.inf else max(0.0, until - time.monotonic())
        if not select.select([self._ear], [], [], left)[0]:
            return
        for number in os.read(self._ear, 64):
            if number in self._before:
                self._heard += 1
                self._begin(_CAUSES[signal.Signals(number)])

    def _ask(self) -> None:
        """Interrupt the main thread, also in a system call."""
        number = next(iter(self._before), None)
        if number is not None and threading.main_thread().ident == self._main:
            signal.pthread_kill(self._main, number)

    def _save_and_leave(self) -> None:
        assert self.cause is not None
        frame = sys._current_frames().get(self._main)
        if frame is not None:
            self.stack = traceback.extract_stack(frame)
        try:
            if self.rescue is not None:
                self.rescue()
        finally:
            _leave(self.cause.code)


_active: Guard | None = None


def _forget_in_child() -> None:
    """Give a forked process (a loader's worker) its parent's former signals."""
    global _active
    guard, _active = _active, None
    if guard is not None:
        guard.restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def _wait_for_the_end() -> NoReturn:
    """Stand still while the rescue ends the process."""
    while True:
        time.sleep(60)


def _leave(code: int) -> NoReturn:
    """End the process now, and every worker with it."""
    import multiprocessing

    for child in multiprocessing.active_children():
        child.kill()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _arm_alarm(seconds: float) -> None:
    """Have the system end the process, after a dump of where it stands; needs no interpreter."""
    if not hasattr(signal, "SIGALRM"):
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, file=2, all_threads=False, chain=True)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _disarm_alarm() -> None:
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.unregister(signal.SIGALRM)
