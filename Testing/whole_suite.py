"""Run all tests, those of the browser viewer beside the others: what ``make test`` does.

    python Testing/whole_suite.py PYTHON_OF_THE_VIEWER [ARGUMENTS OF PYTEST]

Shows the main suite while it runs and the viewer's when both have ended.  The last two lines are pytest's
summaries of the two; the exit status is 0 only if both have passed.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
WORKERS = ("-n", "2")  # for two cores; conftest.py says which tests share a worker


class Suite:
    """One pytest that runs in the background; its output is kept, and shown meanwhile if ``echo``."""

    def __init__(self, python, arguments, echo, **environment):
        self._process = subprocess.Popen(
            [python, "-m", "pytest", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._echo, self._output = echo, bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        with self._process.stdout as pipe:
            while part := os.read(pipe.fileno(), 65536):
                self._output += part
                if self._echo:
                    show(part)

    def wait(self) -> bool:
        """Whether all its tests have passed, once it has ended."""
        self._reader.join()
        return self._process.wait() == 0

    @property
    def output(self) -> bytes:
        return bytes(self._output)

    @property
    def summary(self) -> bytes:
        """The last line: pytest's count of what passed, failed and was skipped."""
        return (self._output.strip().splitlines() or [b"no output"])[-1] + b"\n"


def show(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def main(viewer_python, *arguments) -> int:
    # Compiled tests are kept: every process that a test starts would compile the sources again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    viewer = Suite(viewer_python, ["Testing/viewer", *arguments], echo=False, SAMUNET_TEST_VIEW="1")
    others = Suite(sys.executable, [*WORKERS, "--ignore=Testing/viewer", *arguments], echo=True)
    passed = [others.wait(), viewer.wait()]
    show(b"\nThe browser viewer:\n" + viewer.output)
    show(b"\nBoth, the browser viewer last:\n" + others.summary + viewer.summary)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
