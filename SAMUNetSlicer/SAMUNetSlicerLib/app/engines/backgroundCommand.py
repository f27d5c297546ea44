"""Run one of the product's commands in a process of its own, for front ends that must not wait for it."""

import subprocess
import tempfile
from dataclasses import replace
from typing import IO, Optional, Sequence

from ...errors import EngineError
from ...platforms import PLATFORM
from .childProcess import EngineLaunch

_COMMAND_LINE = "SAMUNetSlicerLib.cli.main"


class BackgroundCommand:
    """Runs ``samunet ARGUMENTS`` from its construction on; ``poll`` it.

    :param launch: which Python runs it, see `EngineLaunch`.
    :param arguments: such as ("doctor",).
    :raises EngineError: that Python cannot be started.
    """

    def __init__(self, launch: EngineLaunch, arguments: Sequence[str]):
        launch = replace(launch, arguments=("-m", _COMMAND_LINE, *arguments))
        self._output: Optional[IO[bytes]] = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                launch.command(),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                env=launch.variables(),
                **PLATFORM.childOptions(),
            )
        except OSError as error:
            self._output.close()
            raise EngineError(
                f"{launch.command()[0]} cannot be started ({error.strerror}); reinstall the extension."
            ) from error

    def poll(self) -> Optional[str]:
        """Return what the command has written once it has ended, None until then; not to be called after
        that.
        """
        if self._process.poll() is None:
            return None
        self._output.seek(0)
        text = self._output.read().decode("utf-8", errors="replace")
        self._output.close()
        return text

    def cancel(self) -> None:
        """End it now, whatever it does; also what a launcher such as ``PythonSlicer`` has started."""
        PLATFORM.killTree(self._process)
        self._process.wait()
        self._output.close()
