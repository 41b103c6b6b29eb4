"""Errors as a user reads them: one problem a line, the user's own frames, ours only to debug."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from lrfind.errors import InputError, LrfindError, NoSuggestionError, UserCodeError
from lrfind.plain_text import plain, without_commands

MOST_PROBLEMS = 50
"""Problems told at once; a file with more is no config, and its log must stay readable."""

MOST_CHARACTERS = 2000
"""Characters of a problem, beyond which its middle is left out."""

_PACKAGE = Path(__file__).resolve().parents[1]


def show_error(error: LrfindError, debug: bool = False) -> str:
    """Render an error for stderr, ending in a newline.

    Args:
        error: what was raised; a `UserCodeError` shows the frames of the code it blames.
        debug: append the whole traceback, ours included.
    """
    if isinstance(error, InputError):
        count = len(error.problems)
        lines = [f"error: {_short(str(problem))}" for problem in error.problems[:MOST_PROBLEMS]]
        if count > 1:
            first = f", the first {MOST_PROBLEMS} of them above" if count > MOST_PROBLEMS else ""
            lines.append(f"{count} problems{first}")
    elif isinstance(error, NoSuggestionError):
        lines = [str(error)]
    else:
        lines = [f"error: {error}"]
    text = "\n".join(lines) + "\n"
    if debug:
        text += "\n" + "".join(traceback.format_exception(error))
    elif isinstance(error, UserCodeError) and error.__cause__ is not None:
        text += "\n" + _user_traceback(error.__cause__)
    return without_commands(plain(text))


def user_stack(stack: traceback.StackSummary) -> str:
    """Show where the user's code stood; empty where none of it was running.

    Args:
        stack: from the outermost frame, that of the command line, to the innermost.
    """
    ours = [i for i, frame in enumerate(stack) if Path(frame.filename).is_relative_to(_PACKAGE)]
    # Below the first frame of ours is what started the command.
    parts = _user_frames(stack[ours[0] :] if ours else stack)
    text = "".join(["Stack (your code):\n", *parts]) if parts else ""
    return without_commands(plain(text))


def _short(text: str) -> str:
    """Cut what a problem quotes out of a file, where that is longer than a page."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:1000]} … {text[-500:]}"


def _user_traceback(cause: BaseException) -> str:
    """Format an exception with the frames its author can mend.

    Nothing else may be left: a syntax error names its place itself.
    """
    parts = _user_frames(traceback.extract_tb(cause.__traceback__))
    head = ["Traceback (your code):\n"] if parts else []
    return "".join([*head, *parts, *traceback.format_exception_only(cause)])


def _user_frames(frames: Sequence[traceback.FrameSummary]) -> list[str]:
    """Format frames, each run of them inside torch folded into a line.

    Frames of lrfind, of its command line and of the import machinery are left out.
    """
    kept = [frame for frame in frames if not _is_machinery(frame.filename)]
    parts: list[str] = []
    hidden = 0
    for frame in kept:
        if _is_torch(frame.filename) and len(kept) > 1:
            hidden += 1
            continue
        parts += _folded(hidden)
        hidden = 0
        parts += traceback.format_list([frame])
    return parts + _folded(hidden)


def _folded(hidden: int) -> list[str]:
    return [f"  … {hidden} {'frame' if hidden == 1 else 'frames'} inside torch\n"] * bool(hidden)


def _is_machinery(filename: str) -> bool:
    if filename.startswith("<frozen "):
        return True
    path = Path(filename)
    if "site-packages" in path.parts and {"typer", "click"} & set(path.parts):
        return True
    return path == _CONTEXTLIB or path.is_relative_to(_PACKAGE) or path.is_relative_to(_IMPORTLIB)


def _is_torch(filename: str) -> bool:
    path = Path(filename)
    return "torch" in path.parts and "site-packages" in path.parts


_CONTEXTLIB = Path(contextlib.__file__).resolve()
_IMPORTLIB = Path(sys.modules["importlib"].__file__ or "").resolve().parent
