"""Start the engine's process from Slicer."""

import logging
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from ...app.common import homeFolder
from ...app.engines import EngineLaunch
from ...platforms import PLATFORM

_LOG_BYTES = 1 << 20
_log = logging.getLogger(__name__)


def slicerEngineLaunch() -> EngineLaunch:
    """Slicer's Python in the environment of this Slicer, with a log in the product's own folder.

    The environment is Slicer's own, not its startup environment: it leads to Slicer's libraries, packages
    and certificates.  Within it ``python-real`` runs by itself, as Slicer's own scripted command line
    modules do; ``PythonSlicer`` launches it and is what a build tree of Slicer has.

    Where no log can be written there is none: an engine without a log is better than no engine.
    """
    log = homeFolder() / "engine.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(log)
        open(log, "ab").close()
    except OSError as error:
        _log.warning("The engine's log %s cannot be written: %s", log, error)
        log = None
    python = shutil.which("python-real") or shutil.which("PythonSlicer") or sys.executable
    return EngineLaunch(executable=python, logPath=log)


def _rotate(log: Path) -> None:
    """Begin a new log when this one is long; not on Windows while another Slicer's engine writes to it."""
    if log.is_file() and log.stat().st_size > _LOG_BYTES:
        with suppress(OSError):
            PLATFORM.replace(log, log.with_name("engine.previous.log"))
