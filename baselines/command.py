"""What the commands of all baselines share: an error becomes one sentence and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from langrearrange.errors import LangRearrangeError, MissingExtraError, UsageError
from langrearrange.log import get_logger

logger = get_logger(__name__)


def run_command(work: Callable[[], object]) -> int:
    """Do the work of a command, write what it returns to stdout, return the exit code.

    Args:
        work: reads the command line and does what it says.

    Returns:
        0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    try:
        result = work()
    except (UsageError, MissingExtraError) as error:
        logger.error("%s", error)
        return 2
    except LangRearrangeError as error:
        logger.error("%s", error)
        return 1
    except KeyboardInterrupt:
        logger.error("stopped; what was saved is kept")
        return 130
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        hint = "; free some space, then go on" if error.errno == errno.ENOSPC else ""
        logger.error("%s%s%s", error.strerror or error, place, hint)
        return 1
    if result is not None:
        sys.stdout.write(f"{result}\n")
    return 0
