"""The command line: parses, calls, prints, exits; no work is done here.

Everything heavy is imported inside the command that needs it, so that help and completion stay
instant. `main` is the one place that renders an error and chooses an exit code.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import NoReturn

from lrfind.errors import ExitCode, LrfindError


def main() -> NoReturn:
    """Run the command line and exit with the code of `lrfind.errors.ExitCode`."""
    from lrfind.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Formulas hold Greek letters, which not every terminal or log can take.
            stream.reconfigure(errors="replace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except LrfindError as error:
        code = _explain(error)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe left (`| head -1`); a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.OK
    except Exception as error:
        code = _report_bug(error)
    sys.exit(code)


def _explain(error: LrfindError) -> ExitCode:
    from lrfind.console import show_error

    sys.stderr.write(show_error(error, debug=_is_debugging()))
    return error.exit_code


def _report_bug(error: Exception) -> ExitCode:
    """Tell of an exception that nobody foresaw; its traceback is for those who mend lrfind."""
    if _is_debugging():
        sys.stderr.write("".join(traceback.format_exception(error)))
    text = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stderr.write(
        f"internal error: {text}; this is a bug of lrfind: run again with --debug and report it\n"
    )
    return ExitCode.INTERNAL


def _is_debugging() -> bool:
    return bool(os.environ.get("LRFIND_DEBUG"))
