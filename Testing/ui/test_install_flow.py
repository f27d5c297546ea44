"""Nothing is installed before the user agrees; then in the way that each Slicer release offers."""

import subprocess
import sys
import types
from contextlib import nullcontext

import pytest
import slicer

from SAMUNetSlicerLib.app.models import REQUIREMENTS, TORCH, MissingRequirement, requirements
from SAMUNetSlicerLib.errors import CancelledError, EngineError, InputError

SEGMENT_ANYTHING = REQUIREMENTS[1]
NO_TORCH, NO_BLOCKS = MissingRequirement(TORCH), MissingRequirement(SEGMENT_ANYTHING)


class Computer:
    """A Slicer, what is missing in its Python, and all that was asked and done."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.missing, self.questions, self.done = [], [], []
        self.answers = True
        self.repairs = True
        self.isTesting = False
        self.server = types.SimpleNamespace(interactive=True, works=True)
        self.server.installExtensionFromServer = self._installExtension
        i18n = types.ModuleType("slicer.i18n")
        i18n.tr = lambda text: text
        monkeypatch.setitem(sys.modules, "slicer.i18n", i18n)
        monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
        monkeypatch.setitem(sys.modules, "slicer.packaging", None)
        app = types.SimpleNamespace(
            testingEnabled=lambda: self.isTesting, extensionsManagerModel=lambda: self.server
        )
        monkeypatch.setattr(slicer, "app", app, raising=False)
        for name, function in {
            "confirmOkCancelDisplay": self._ask,
            "confirmYesNoDisplay": self._ask,
            "pip_install": self._pip,
            "restart": lambda: self.done.append("restart"),
            "WaitCursor": nullcontext,
        }.items():
            monkeypatch.setattr(slicer.util, name, function)

    def hasPyTorchExtension(self):
        module = types.ModuleType("PyTorchUtils")
        module.PyTorchUtilsLogic = lambda: types.SimpleNamespace(installTorch=self._torch)
        self.monkeypatch.setitem(sys.modules, "PyTorchUtils", module)

    def hasPackaging(self):
        """As Slicer 5.12 and later."""
        module = types.ModuleType("slicer.packaging")
        module.pip_ensure = self._pipEnsure
        self.monkeypatch.setitem(sys.modules, "slicer.packaging", module)

    def _ask(self, text, windowTitle=None):
        self.questions.append(text)
        return self.answers

    def _torch(self, askConfirmation=False, torchVersionRequirement=None):
        self._do(f"torch{torchVersionRequirement}", [NO_TORCH])

    def _pip(self, arguments):
        self._do(" ".join(arguments), self.missing)

    def _pipEnsure(self, specifiers, prompt_install=True, requester=None):
        self._do(f"ensure {' '.join(specifiers)}, asks: {prompt_install}", [NO_BLOCKS])

    def _installExtension(self, name, restart=True):
        self.done.append(f"extension {name}, asks: {self.server.interactive}, restarts: {restart}")
        return self.server.works

    def _do(self, what, repaired):
        self.done.append(what)
        if isinstance(self.repairs, Exception):
            raise self.repairs
        if self.repairs:
            self.missing = [each for each in self.missing if each not in repaired]


@pytest.fixture
def computer(monkeypatch):
    return Computer(monkeypatch)


@pytest.fixture
def flow(computer, monkeypatch):
    monkeypatch.delitem(sys.modules, "SAMUNetSlicerLib.ui.setup.installFlow", raising=False)
    from SAMUNetSlicerLib.ui.setup import installFlow

    monkeypatch.setattr(installFlow, "missingRequirements", lambda: list(computer.missing))
    return installFlow


def test_where_nothing_is_missing_nothing_is_said_asked_or_done(computer, flow):
    assert flow.missingText() == ""
    assert flow.installRequirements() is True
    assert not computer.questions + computer.done


def test_what_is_missing_is_said_without_doing_anything(computer, flow):
    computer.missing = [MissingRequirement(TORCH, "2.0.1"), NO_BLOCKS]
    assert flow.missingText() == (
        "Still to be installed: torch 2.3 or newer (here is 2.0.1), segment-anything."
    )
    assert not computer.questions + computer.done


def test_one_question_tells_sizes_and_licenses_before_anything_happens(computer, flow):
    computer.missing = [NO_TORCH, NO_BLOCKS]
    computer.hasPyTorchExtension()
    computer.answers = False
    with pytest.raises(CancelledError, match="Nothing was installed"):
        flow.installRequirements()
    (question,) = computer.questions
    assert "torch (0.2 GB, with CUDA up to 3.5 GB; license BSD-3-Clause)" in question
    assert "segment-anything (0.1 MB; license Apache-2.0)" in question
    assert not computer.done


def test_before_slicer_5_12_pip_installs_what_pytorch_does_not(computer, flow):
    computer.missing = [NO_TORCH, NO_BLOCKS]
    computer.hasPyTorchExtension()
    assert flow.installRequirements() is True
    assert computer.done == ["torch>=2.3", "segment-anything>=1.0"]
    assert len(computer.questions) == 1


def test_since_slicer_5_12_its_own_packaging_installs_without_asking_again(computer, flow):
    computer.missing = [NO_BLOCKS]
    computer.hasPackaging()
    assert flow.installRequirements() is True
    assert computer.done == ["ensure segment-anything>=1.0, asks: False"]


def test_without_the_pytorch_extension_that_comes_first_and_slicer_restarts(computer, flow):
    computer.missing = [NO_TORCH, NO_BLOCKS]
    assert flow.installRequirements() is False
    assert computer.done == ["extension PyTorch, asks: False, restarts: False", "restart"]
    assert computer.server.interactive
    assert "restarted before it can be used" in computer.questions[0]
    assert "What has not been saved is lost" in computer.questions[1]


def test_the_restart_can_wait(computer, flow, monkeypatch):
    computer.missing = [NO_TORCH]
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_, **__: False)
    assert flow.installRequirements() is False
    assert "restart" not in computer.done


def test_a_server_that_cannot_be_reached_is_one_sentence(computer, flow):
    computer.missing = [NO_TORCH]
    computer.server.works = False
    with pytest.raises(EngineError, match="could not be installed: check the network"):
        flow.installRequirements()
    assert computer.server.interactive


def test_a_slicer_without_extensions_manager_says_what_else_to_do(computer, flow):
    computer.missing = [NO_TORCH]
    del slicer.app.extensionsManagerModel
    with pytest.raises(EngineError, match="folder with the wheels"):
        flow.installRequirements()


def test_a_folder_of_wheels_needs_neither_network_nor_extension(computer, flow, tmp_path):
    computer.missing = [NO_TORCH, NO_BLOCKS]
    assert flow.installRequirements(tmp_path) is True
    assert computer.done == [f"--no-index --find-links {tmp_path} torch>=2.3 segment-anything>=1.0"]
    assert str(tmp_path) in computer.questions[0]


def test_a_folder_that_is_not_there_is_refused_before_asking(computer, flow, tmp_path):
    computer.missing = [NO_BLOCKS]
    with pytest.raises(InputError, match="There is no folder"):
        flow.installRequirements(tmp_path / "wheels")
    assert not computer.questions


@pytest.mark.parametrize(
    "error", [subprocess.CalledProcessError(1, "pip"), RuntimeError("PythonSlicer executable not found")]
)
def test_a_pip_that_fails_is_one_sentence(computer, flow, error):
    computer.missing = [NO_BLOCKS]
    computer.repairs = error
    with pytest.raises(EngineError, match=r"could not be installed .*Python console"):
        flow.installRequirements()


def test_a_pip_that_says_nothing_and_does_nothing_is_found_out(computer, flow):
    computer.missing = [NO_BLOCKS]
    computer.repairs = False
    with pytest.raises(EngineError, match=r"Still to be installed: segment-anything\. The Python console"):
        flow.installRequirements()


def test_a_torch_in_use_is_not_replaced_under_its_users(computer, flow, monkeypatch):
    computer.missing = [MissingRequirement(TORCH, "2.0.1")]
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    with pytest.raises(EngineError, match=r"torch 2\.3 or newer \(here is 2\.0\.1\) is in use"):
        flow.installRequirements()
    assert not computer.questions + computer.done


def test_slicers_testing_mode_installs_nothing(computer, flow):
    computer.missing = [NO_BLOCKS]
    computer.isTesting = True
    with pytest.raises(CancelledError):
        flow.installRequirements()
    assert not computer.done


def test_really_missing_packages_are_named(computer, monkeypatch):
    monkeypatch.delitem(sys.modules, "SAMUNetSlicerLib.ui.setup.installFlow", raising=False)
    from SAMUNetSlicerLib.ui.setup import installFlow

    absent = requirements.Requirement("not_there", "not-there", "1", "MIT", "1 MB")
    monkeypatch.setattr(requirements.missingRequirements, "__defaults__", ((absent,),))
    assert installFlow.missingText() == "Still to be installed: not-there."
