"""How Slicer starts the engine's process."""

import os
import shutil
import sys

from ..app.common import homeFolder, outputErrors
from ..app.engines import EngineLaunch

_LOG_BYTES = 1 << 20


def slicerEngineLaunch() -> EngineLaunch:
    """Slicer's Python in the environment of this Slicer, with a log in the product's own folder.

    The environment is Slicer's own, not its startup environment: it leads to Slicer's libraries, packages
    and certificates.  Within it ``python-real`` runs by itself, as Slicer's own scripted command line
    modules do; ``PythonSlicer`` launches it and is what a build tree of Slicer has.

    :raises OutputError: the folder of the log cannot be written.
    """
    log = homeFolder() / "engine.log"
    with outputErrors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.is_file() and log.stat().st_size > _LOG_BYTES:
            os.replace(log, log.with_name("engine.previous.log"))
    python = shutil.which("python-real") or shutil.which("PythonSlicer") or sys.executable
    return EngineLaunch(executable=python, logPath=log)
