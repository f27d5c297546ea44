"""A front end that forgets to close its session must not crash the application."""

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


def test_a_session_and_its_scene_are_collected_together_without_a_word():
    folders = [str(TESTING), str(TESTING.parent / "SAMUNetSlicer")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    result = subprocess.run(
        [sys.executable, "-c", _LEAK], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
