"""The panel from its real .ui file on a real Slicer scene with a fake engine."""

import pytest

from fakes import slicerApplication
from SAMUNetSlicerLib.app.files import startScene
from ui import pythonqt
from ui.bench import Bench


@pytest.fixture
def host():
    """An empty scene with its logics, emptied again after the test."""
    with startScene() as host:
        yield host


@pytest.fixture
def application(monkeypatch, host, tmp_path):
    """``qt``, ``ctk`` and ``slicer.app`` with a main window; fails if a slot has raised."""
    import slicer

    slicerApplication.install(monkeypatch, host.scene, tmp_path)
    window = slicer.app.makeMainWindow()
    yield slicer.app
    window.deleteLater()
    assert not pythonqt.slot_errors


@pytest.fixture
def bench(application, host, caplog):
    """The panel, entered, with a volume chosen; fails if something went wrong that should not."""
    bench = Bench(host)
    yield bench
    bench.close()
    assert not [record for record in caplog.get_records("call") if record.levelname == "ERROR"]
