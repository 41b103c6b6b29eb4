"""The command line: parses, calls, prints, exits; no work is done here.

Everything heavy is imported inside the command that needs it, so that help and completion stay
instant. `main` is the one place that renders an error and chooses an exit code.
"""

from __future__ import annotations

import os
import sys

from lrfind.errors import ExitCode, LrfindError


def main() -> None:
    """Run the command line and exit with the code of `lrfind.errors.ExitCode`."""
    from lrfind.cli.app import app

    try:
        app()
    except LrfindError as error:
        from lrfind.console import show_error

        sys.stderr.write(show_error(error, debug=bool(os.environ.get("LRFIND_DEBUG"))))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe left (`| head -1`); a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
