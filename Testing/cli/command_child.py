"""Run samunet's commands one after the other in this process, which a fault in a library may end.

Answers each line of stdin, a JSON list of arguments, with a line of JSON: exit code or "traceback", and what
was printed.  Predictions come from the dummy engine unless a file of weights is given; a batch is checked
and not run.
"""

import contextlib
import json
import os
import sys
import tempfile
import traceback

from SAMUNetSlicerLib.app.batch import BatchJob
from SAMUNetSlicerLib.app.engines import DummyEngine
from SAMUNetSlicerLib.cli import replayCommand, segmentCommand
from SAMUNetSlicerLib.cli.main import main

_open_real = segmentCommand.openEngine


@contextlib.contextmanager
def _dummy():
    engine = DummyEngine()
    try:
        yield engine
    finally:
        engine.close()


def run(arguments):
    """Return exit code, stdout and stderr of one command."""
    isReal = "--weights" in arguments
    segmentCommand.openEngine = replayCommand.openEngine = _open_real if isReal else _dummy
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        before = [os.dup(number) for number in (1, 2)]
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
            code = "traceback"
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in enumerate(before, 1):
            os.dup2(saved, number)
            os.close(saved)
        return [code, *(os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace") for file in (out, err))]


if __name__ == "__main__":
    BatchJob.run = lambda self: None
    # Libraries write to the file behind stdout.
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)
