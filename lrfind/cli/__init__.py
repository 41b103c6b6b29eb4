"""The command line: parses, calls, prints, exits; no work is done here.

Everything heavy is imported inside the command that needs it, so that help and completion stay
instant. `main` is the one place that renders an error and chooses an exit code.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

from lrfind.cli.streams import lasting_streams
from lrfind.distributed import who_speaks
from lrfind.errors import ExitCode, LrfindError
from lrfind.plain_text import plain


def main() -> NoReturn:
    """Run the command line and exit with the code of `lrfind.errors.ExitCode`."""
    with lasting_streams() as answer:
        code = _run()
        sys.stdout.flush()
        if code == ExitCode.OK and answer is not None and answer.lost is not None:
            sys.stderr.write(f"error: standard output: cannot be written: {answer.lost.strerror}\n")
            code = ExitCode.NOT_WRITTEN
    sys.exit(code)


def _run() -> int:
    from lrfind.cli.preload import preload

    preload("lrfind.cli.app")
    from lrfind.cli.app import app

    try:
        app()
    except LrfindError as error:
        return _explain(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    except Exception as error:
        return _report_bug(error)
    return ExitCode.OK


def _explain(error: LrfindError) -> ExitCode:
    from lrfind.console import show_error

    sys.stderr.write(who_speaks(os.environ) + show_error(error, debug=_is_debugging()))
    return error.exit_code


def _report_bug(error: Exception) -> ExitCode:
    """Tell of an exception that nobody foresaw; its traceback is for those who mend lrfind."""
    if _is_debugging():
        sys.stderr.write("".join(traceback.format_exception(error)))
    text = plain(" ".join(f"{type(error).__name__}: {error}".split()))
    sys.stderr.write(
        f"internal error: {text}; this is a bug of lrfind: run again with --debug and report it\n"
    )
    return ExitCode.INTERNAL


def _is_debugging() -> bool:
    return bool(os.environ.get("LRFIND_DEBUG"))
