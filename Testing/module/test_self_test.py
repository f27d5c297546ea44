"""The tests that run inside Slicer, run here on slicer-core in the ways in which Slicer runs them."""

import importlib.util
import io
import sys
import types
import unittest

import pytest
import slicer

from fakes import parameterNodes, slicerApplication
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.models import TORCH, MissingRequirement
from scene.test_prompt_saving import allow_bundles


@pytest.fixture
def parent(monkeypatch, tmp_path):
    """Slicer with an empty scene; what it hands to the module."""
    with startScene() as host:
        parent = slicerApplication.install(monkeypatch, host.scene, tmp_path)
        parameterNodes.install(monkeypatch)
        allow_bundles(host.scene, tmp_path / "bundles")
        modules = {
            name.lower(): types.SimpleNamespace(logic=lambda logic=logic: logic)
            for name, logic in host.logics.items()
        }
        monkeypatch.setattr(slicer, "modules", types.SimpleNamespace(**modules), raising=False)
        yield parent


@pytest.fixture
def module(parent):
    """The module file, imported anew with all of the front end."""
    _forget_front_end()
    yield importlib.import_module("SAMUNetSlicer")
    _forget_front_end()


def _forget_front_end():
    front_end = ("SAMUNetSlicer", "SAMUNetSlicerInSlicerTest")
    for name in [name for name in sys.modules if name in front_end or name.startswith("SAMUNetSlicerLib.ui")]:
        del sys.modules[name]


def run(suite):
    """How many tests a suite has run; its report if one of them did not pass or was left out."""
    report = io.StringIO()
    result = unittest.TextTestRunner(stream=report, verbosity=2).run(suite)
    assert result.wasSuccessful() and not result.skipped, report.getvalue()
    return result.testsRun


def test_reload_and_test_passes(module, capsys):
    module.SAMUNetSlicerTest().runTest()
    report = capsys.readouterr().err
    assert "Ran 7 tests" in report
    assert report.endswith("\nOK\n")  # with what was left out in brackets after it


def test_reload_and_test_tells_that_a_test_has_failed(module, monkeypatch):
    from SAMUNetSlicerLib.ui import selfTest

    monkeypatch.setattr(selfTest, "missingRequirements", lambda: [MissingRequirement(TORCH)])
    monkeypatch.setattr(
        selfTest.SelfTest, "testAClickBecomesASegmentOfANewSegmentation", lambda self: self.fail()
    )
    with pytest.raises(AssertionError, match="Python console"):
        module.SAMUNetSlicerTest().runTest()


def test_without_torch_everything_but_the_network_is_tested(module, monkeypatch, capsys):
    from SAMUNetSlicerLib.ui import selfTest

    monkeypatch.setattr(selfTest, "missingRequirements", lambda: [MissingRequirement(TORCH)])
    module.SAMUNetSlicerTest().runTest()
    report = capsys.readouterr().err
    assert report.count("skipped") == 2  # its line and the summary
    assert "Still to be installed: torch" in report


def test_what_ctest_runs_passes_as_well(module, monkeypatch, repository):
    """As ``slicer.testing.runUnitTest`` does it: the folder on the search path, the file by its name."""
    monkeypatch.syspath_prepend(str(repository / "SAMUNetSlicer" / "Testing" / "Python"))
    widget = module.SAMUNetSlicerWidget()
    widget.setup()
    loaded = types.SimpleNamespace(icon=types.SimpleNamespace(isNull=lambda: False))
    loaded.widgetRepresentation = lambda: types.SimpleNamespace(self=lambda: widget)
    module.SAMUNetSlicer(loaded)
    manager = types.SimpleNamespace(module={"SAMUNetSlicer": loaded}.get)
    monkeypatch.setattr(slicer.app, "moduleManager", lambda: manager, raising=False)
    try:
        assert run(unittest.defaultTestLoader.loadTestsFromName("SAMUNetSlicerInSlicerTest")) >= 11
    finally:
        widget.cleanup()
