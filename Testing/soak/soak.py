"""Kill the commands again and again, and predict thousands of times: nothing is half-written, nothing grows.

    python Testing/soak/soak.py [--seed N] [--kills N] [--minutes N] [--predictions N] [--only NAME ...]

Each of the targets, ``segment``, ``batch``, ``view`` and ``download``, is run once undisturbed and then
killed (SIGKILL) at random moments of its run.  After every kill its results must be complete or absent; at
the end it runs undisturbed once more, and nothing of the killed runs may be left over.  Then the front end
and an engine without a network make predictions, and neither may grow.  ``--view-python`` names the
environment of the browser viewer; ``view`` is left out where there is none.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

import numpy as np
import SimpleITK as sitk

from app import batch_runs
from app.batch_runs import fake_launch, write_image, write_prompts
from fakes.fakeEngine import FAKE_SPEC
from SAMUNetSlicerLib.app.batch import isCaseIntact, readRecord
from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.atomicFiles import WORKSPACE_PREFIX
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import add_volume

TESTING = Path(__file__).resolve().parents[1]
REPOSITORY = TESTING.parent
VOLUME = REPOSITORY / "Resources" / "SampleData" / "ts_ct3mm.nii.gz"
MOST_SECONDS = 600  # of an undisturbed run, on a computer that does much else
GROWTH = 12 << 20  # bytes by which a process may differ from what it was after a fifth of its predictions
_LEFT_OVER = (f"{WORKSPACE_PREFIX}*", "*.part", "samunet-upload-*", "samunet-export-*")


class Target:
    """A command that is killed; ``folder`` is its own, with its home and its temporary files."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("home", "temporary"):
            (folder / name).mkdir(parents=True)
        self.seconds = 0.0

    def start(self):
        variables = {"SAMUNET_HOME": self.folder / "home", "TMPDIR": self.folder / "temporary"}
        path = os.pathsep.join([str(TESTING), str(REPOSITORY / "SAMUNetSlicer")])
        environment = {**os.environ, **{k: str(v) for k, v in variables.items()}, "PYTHONPATH": path}
        return subprocess.Popen(
            list(map(str, self.command())),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def run(self):
        """Run undisturbed to the end."""
        started = time.monotonic()
        process = self.start()
        with process.stdout:
            self.finish(process)
        self.seconds = time.monotonic() - started
        self.check()
        left = [str(path) for pattern in _LEFT_OVER for path in self.folder.rglob(pattern)]
        assert not left, f"left over: {left}"

    def finish(self, process):
        assert process.wait(MOST_SECONDS) == 0, f"exit code {process.returncode}"

    def kill(self, seconds):
        """Start, and kill the command alone after so many seconds: what it has started ends by itself."""
        process = self.start()
        with process.stdout, contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.wait()
        self.check()

    def command(self):
        raise NotImplementedError

    def check(self):
        """Assert that what is there is complete."""


class Segment(Target):
    """``samunet segment``, replacing its own results each second time."""

    def __init__(self, folder):
        super().__init__(folder)
        box = {"ijk": [[42, 34, 18], [78, 72, 18]]}
        plane = {"plane": {"orientation": "axial", "index": 18}, "boxes": [box]}
        document = {"version": 1, "window": {"mode": "preset:abdomen"}}
        document["segments"] = [{"name": "Bladder", "planes": [plane]}]
        self.prompts = folder / "prompts.json"
        self.prompts.write_text(json.dumps(document), encoding="utf-8")
        self.expected = None

    def command(self):
        end = ["--prompts", self.prompts, "--out", self.folder / "out", "--overwrite"]
        return [sys.executable, "-m", "SAMUNetSlicerLib.cli.main", "segment", VOLUME, *end]

    def check(self):
        files = {path.name: path for path in (self.folder / "out").glob("[!.]*")}
        found = {name: _content(path) for name, path in files.items()}
        if self.expected is None:
            assert found, "no results"
            self.expected = found
        assert found in ({}, self.expected), f"the results are {sorted(found)}, some of them changed"


class Batch(Target):
    """A batch of small images with an engine without a network."""

    def __init__(self, folder):
        super().__init__(folder)
        for number in range(8):
            write_image(folder / "in" / f"case {number}.nrrd", seed=number)
        write_prompts(folder / "p.json")
        self.before = {}

    def command(self):
        return [sys.executable, batch_runs.__file__, self.folder / "in", self.folder / "p.json", self.out]

    @property
    def out(self):
        return self.folder / "out"

    def kill(self, seconds):
        if len(self.before) == 8:  # begin anew: there is nothing left to be killed
            self.before = {}
            self.out.rename(self.folder / f"done {time.monotonic_ns()}")
        super().kill(seconds)

    def check(self):
        found = {}
        for folder in sorted(self.out.glob("[!.]*/")) if self.out.exists() else ():
            record = readRecord(self.out, folder.name)
            assert isCaseIntact(self.out, record), f"{folder.name} is not complete"
            found[folder.name] = (folder / "record.json").stat().st_mtime_ns
        assert found.items() >= self.before.items(), "a finished case was lost or made again"
        self.before = found


class View(Target):
    """``samunet view``; ends undisturbed by SIGTERM once it can be opened."""

    def __init__(self, folder, python):
        super().__init__(folder)
        self.python = python

    def command(self):
        end = ["--no-browser", "--out", self.folder]
        return [self.python, "-m", "SAMUNetSlicerLib.cli.main", "view", VOLUME, *end]

    def finish(self, process):
        assert process.stdout.readline().startswith(b"Open http"), "the viewer does not start"
        process.send_signal(signal.SIGTERM)
        process.wait(MOST_SECONDS)


class Download(Target):
    """A download of a file with a published sum, resumed by each run, from a slow server."""

    CHILD = (
        "import sys; from pathlib import Path\n"
        "from SAMUNetSlicerLib.app.models import httpDownload\n"
        "httpDownload.PLAIN_HOSTS = frozenset({'127.0.0.1'})\n"
        "url, target, digest, size = sys.argv[1:]\n"
        "httpDownload.downloadUrl(url, Path(target), digest, int(size))\n"
    )

    def __init__(self, folder, url, content):
        super().__init__(folder)
        self.url, self.content = url, content
        self.target = folder / "weights.bin"

    def command(self):
        digest = hashlib.sha256(self.content).hexdigest()
        return [sys.executable, "-c", self.CHILD, self.url, self.target, digest, len(self.content)]

    def kill(self, seconds):
        self.target.unlink(missing_ok=True)
        super().kill(seconds)

    def check(self):
        assert not self.target.exists() or self.target.read_bytes() == self.content, "a damaged download"


@contextlib.contextmanager
def slow_server(content):
    """Serves ``content``, ranges too, in about a second; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            given = self.headers.get("Range", "bytes=0-")
            start = int(given.partition("=")[2].partition("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            with contextlib.suppress(OSError):  # it was killed
                for place in range(start, len(content), 1 << 16):
                    self.wfile.write(content[place : place + (1 << 16)])
                    time.sleep(0.02)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/weights.bin"
        server.shutdown()


def _content(path):
    """What a result says: voxels of images, size of the rest, which may hold times."""
    if path.name.endswith((".nii.gz", ".nrrd")):
        return hashlib.sha256(sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes()).hexdigest()
    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    return "readable"


def kill_again_and_again(targets, kills, deadline, rng):
    """Kill until there were so many kills or the time is over; return how many there were of each target."""
    for target in targets.values():
        target.run()
    counts = dict.fromkeys(targets, 0)
    while sum(counts.values()) < kills and time.monotonic() < deadline:
        name = rng.choice(list(targets))
        target = targets[name]
        seconds = rng.uniform(0, 1.1 * target.seconds)
        try:
            target.kill(seconds)
        except AssertionError as error:
            raise AssertionError(f"{name}, killed after {seconds:.2f} s: {error}") from error
        counts[name] += 1
    for target in targets.values():
        target.run()
    return counts


def predict(count):
    """Predict so many masks by a process; return how much both processes have grown since a fifth of them."""
    engine, early = ProcessEngine(fake_launch()), None
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        engine.wait(session.setModel(FAKE_SPEC))
        session.setVolume(add_volume(host.scene, array=np.zeros((3, 128, 128), np.int16)))
        session.setPlane(planeFromAxis(session.volumeNode, "K", 1))
        point = session.addPoint((64, 64))
        for number in range(count):
            if number == count // 5:
                early = [_resident(pid) for pid in (os.getpid(), engine.pid)]
            x, y = 64 + number % 41, 64 + number % 37
            session.movePrompt(point, session.plane.pixelToRAS([[x, y]])[0])
            session.waitUntilIdle()
        late = [_resident(pid) for pid in (os.getpid(), engine.pid)]
        session.close()
    engine.close()
    return [after - before for before, after in zip(early, late)]


def _resident(pid):
    """Bytes of memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--predictions", type=int, default=5000)
    parser.add_argument("--only", nargs="+", choices=["segment", "batch", "view", "download"])
    parser.add_argument("--view-python", type=Path, default=REPOSITORY / ".venv-view" / "bin" / "python")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    content = rng.randbytes(4 << 20)
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder, slow_server(content) as url:
        make = {
            "segment": Segment,
            "batch": Batch,
            "download": lambda own: Download(own, url, content),
        }
        if options.view_python.exists():
            make["view"] = lambda own: View(own, options.view_python)
        names = options.only or list(make)
        targets = {name: make[name](Path(folder) / name) for name in names}
        counts = kill_again_and_again(targets, options.kills, deadline, rng)
    print(f"{sum(counts.values())} kills: {counts}; results complete or absent, nothing left over")
    if options.predictions:
        grown = predict(options.predictions)
        text = " and ".join(f"{each / 2**20:.1f} MiB" for each in grown)
        print(f"{options.predictions} predictions: front end and engine have grown by {text}")
        assert max(grown) < GROWTH, "a process grows"


if __name__ == "__main__":
    main()
