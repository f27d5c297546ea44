"""A front end stays as large as it is, and may forget to close its session."""

import os
import subprocess
import sys
from pathlib import Path

TESTING = Path(__file__).resolve().parent.parent
_LEAK = """
import gc
from app.desk import Desk
from SAMUNetSlicerLib.app.files.headlessScene import startScene

def leak():
    host = startScene()
    desk = Desk(host.scene)
    desk.click(12, 20)
    desk.session.host = host  # everything is garbage at once

for _ in range(5):
    leak()
    gc.collect()
"""


_PREDICTIONS = """
import numpy as np
from SAMUNetSlicerLib.app.engines import DummyEngine, SPEC, dummyEngine
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.scene import history
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import add_volume

history.STEP_LIMIT = 20
noise = np.random.default_rng(0).random((256, 256)) * 40

def ragged(shape, prompts):
    rows, columns = np.indices(shape)
    x, y = prompts.points[-1]
    return np.hypot(rows - y, columns - x) + noise < 90

dummyEngine.dummyMask = ragged

def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096

with startScene() as host:
    session = SegmentationSession(host.scene, DummyEngine())
    session.setModel(SPEC)
    session.setVolume(add_volume(host.scene, array=np.zeros((3, 256, 256), np.int16)))
    session.setPlane(planeFromAxis(session.volumeNode, "K", 1))
    point = session.addPoint((128, 128))
    for number in range(260):
        if number == 60:
            early = resident()
        x, y = 128 + number % 7, 128 + number % 5
        session.movePrompt(point, session.plane.pixelToRAS([[x, y]])[0])
        session.waitUntilIdle()
        assert session.lastMask.confidence > 0.5
    print((resident() - early) // 1024)
    session.close()
"""


def test_two_hundred_more_predictions_cost_no_more_memory():
    result = _run(_PREDICTIONS)
    assert result.returncode == 0, result.stderr
    # A step of undo takes 40 KiB here: 200 that are not forgotten would show as 8 MiB.
    assert int(result.stdout.split()[-1]) < 3 * 1024


def test_a_session_and_its_scene_are_collected_together_without_a_word():
    result = _run(_LEAK)
    assert (result.returncode, result.stderr) == (0, "")


def _run(program):
    folders = [str(TESTING), str(TESTING.parent / "SAMUNetSlicer")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
