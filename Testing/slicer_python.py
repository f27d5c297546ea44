"""Load in this Python all that Slicer loads, and segment a slice in the engine's process.

    python Testing/slicer_python.py

For Python 3.9, which Slicer 5.8 has and slicer-core has no wheels for: ``slicer``, ``vtk``, ``qt`` and what
else is Slicer's own are stand-ins, so that only what Python itself does with the files is tried.  torch,
numpy and the network are real.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import time
import types
from pathlib import Path
from unittest.mock import MagicMock

MODULE = Path(__file__).resolve().parents[1] / "SAMUNetSlicer"
# Packages of Slicer's, and those that only the command line and the browser need.
STAND_INS = {"slicer", "vtk", "vtkITK", "qt", "ctk", "SimpleITK", "highdicom", "pydicom", "ray", "pyarrow"}
# Run on Python 3.10 and newer only.
NOT_IN_SLICER = ("viewer", "training", "cli")


class StandIn(types.ModuleType):
    """A module of which every attribute is there."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        # Whatever is derived from must be a class.
        value = type(name, (), {}) if name[:1].isupper() else MagicMock(name=name)
        setattr(self, name, value)
        return value


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in STAND_INS:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


def load_everything():
    """Import every file that is installed into Slicer; return how many there are."""
    sys.meta_path.insert(0, StandInFinder())
    files = [MODULE / "SAMUNetSlicer.py", *sorted((MODULE / "SAMUNetSlicerLib").rglob("*.py"))]
    for path in files:
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
        parts = path.relative_to(MODULE).with_suffix("").parts
        if not set(parts[1:2]) & set(NOT_IN_SLICER):
            importlib.import_module(".".join(parts).replace(".__init__", ""))
    return len(files)


def segment_a_disk():
    """Have the network of the product segment a bright disk, as Slicer's panel does; return the Dice."""
    import numpy as np

    from SAMUNetSlicerLib.app.engines import ProcessEngine
    from SAMUNetSlicerLib.app.models import modelSpec
    from SAMUNetSlicerLib.engine.overlap import dice
    from SAMUNetSlicerLib.engine.types import Prompts

    rows, columns = np.indices((256, 256))
    disk = (rows - 120) ** 2 + (columns - 130) ** 2 < 40**2
    image = np.where(disk, 200, 40).astype(np.uint8)
    prompts = Prompts(boxes=np.array([[88.0, 78.0, 172.0, 162.0]]))
    engine = ProcessEngine()
    try:
        engine.wait(engine.start(modelSpec(device="cpu")), timeout=300)
        result = engine.wait(engine.predict(image, prompts), timeout=300)
    finally:
        engine.close()
    return dice(np.asarray(result.prediction.mask, bool), disk)


def main():
    sys.path.insert(0, str(MODULE))
    begun = time.monotonic()
    agreement = segment_a_disk()
    count = load_everything()
    seconds = time.monotonic() - begun
    print(f"Python {sys.version.split()[0]}: {count} files, Dice of a disk {agreement:.2f}, {seconds:.0f} s")
    return 0 if agreement > 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
