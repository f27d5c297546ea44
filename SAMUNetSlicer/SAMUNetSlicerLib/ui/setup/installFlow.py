"""Install into Slicer's Python what the engine needs: from a button, after one question, never by itself.

To the panel: while ``missingText()`` is not empty, show it beside a button "Install..." and load no model.
On a click call ``installRequirements()``, or ``installRequirements(folder)`` where the user has chosen a
folder of wheels, inside whatever shows a `UserError`.  When it returns True go on at once: the engine has a
process of its own, which finds new packages without a restart of Slicer.
"""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List, Optional

import slicer
from slicer.i18n import tr as _

from ...app.models import TORCH, MissingRequirement, missingRequirements
from ...errors import CancelledError, EngineError, InputError

_REQUESTER = "SAM-UNet"
_EXTENSION = "PyTorch"


def missingText() -> str:
    """Return one sentence about what is still to be installed; "" if nothing is."""
    names = ", ".join(_name(each) for each in missingRequirements())
    return _("Still to be installed: {packages}.").format(packages=names) if names else ""


def installRequirements(offlineFolder: Optional[Path] = None) -> bool:
    """Install what is missing, if the user agrees.

    :param offlineFolder: holds the wheels; no network is used then.
    :return: True if everything is in place; False if Slicer has to be restarted first, because the
        extension PyTorch is new.
    :raises CancelledError: the user does not agree.
    :raises InputError: there is no such folder.
    :raises EngineError: it cannot be installed; the sentence says what to do.
    """
    missing = missingRequirements()
    if not missing:
        return True
    _refuseWhatCannotBeReplaced(missing)
    if offlineFolder is not None:
        _installFromFolder(missing, Path(offlineFolder))
    elif not _installFromNetwork(missing):
        return False
    _requireAll()
    return True


def _installFromNetwork(missing: List[MissingRequirement]) -> bool:
    torch = [each for each in missing if each.requirement is TORCH]
    others = [each for each in missing if each.requirement is not TORCH]
    logic = _pyTorchLogic() if torch else None
    if torch and logic is None:
        _installExtension()
        return False
    _askFor(missing, _("They are downloaded from PyPI and from PyTorch; Slicer may not respond meanwhile."))
    with _failures():
        if torch:
            with slicer.util.WaitCursor():
                logic.installTorch(torchVersionRequirement=f">={TORCH.minimum}")
        if others:
            _pipEnsure([each.requirement.specifier for each in others])
    return True


def _installFromFolder(missing: List[MissingRequirement], folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(
            _("There is no folder {folder}: choose the one with the wheels.").format(folder=folder)
        )
    _askFor(missing, _("They are taken from {folder}.").format(folder=folder))
    wanted = [each.requirement.specifier for each in missing]
    with _failures(), slicer.util.WaitCursor():
        slicer.util.pip_install(["--no-index", "--find-links", str(folder), *wanted])


def _pyTorchLogic():
    """Return the logic that installs torch for this computer's graphics card; None without the extension."""
    try:
        from PyTorchUtils import PyTorchUtilsLogic
    except ImportError:
        return None
    return PyTorchUtilsLogic()


def _installExtension() -> None:
    if not hasattr(slicer.app, "extensionsManagerModel"):
        raise EngineError(
            _("This Slicer has no Extensions Manager: choose a folder with the wheels of torch.")
        )
    _ask(
        _(
            "torch comes into Slicer by the extension PyTorch, which is not installed yet.\n\n"
            "Install the extension now? Slicer has to be restarted before it can be used."
        )
    )
    manager = slicer.app.extensionsManagerModel()
    wasInteractive, manager.interactive = manager.interactive, False
    try:
        isInstalled = manager.installExtensionFromServer(_EXTENSION, False)
    finally:
        manager.interactive = wasInteractive
    if not isInstalled:
        raise EngineError(
            _(
                "The extension PyTorch could not be installed: check the network, or choose a folder with "
                "the wheels of torch."
            )
        )
    question = _(
        "The extension PyTorch is installed and takes effect after a restart; then press Install again.\n\n"
        "Restart Slicer now? What has not been saved is lost."
    )
    if slicer.util.confirmYesNoDisplay(question, windowTitle=_REQUESTER):
        slicer.util.restart()


def _pipEnsure(specifiers: List[str]) -> None:
    try:
        from slicer.packaging import pip_ensure
    except ImportError:  # Slicer before 5.12
        slicer.util.pip_install(specifiers)
    else:
        pip_ensure(specifiers, prompt_install=False, requester=_REQUESTER)


def _askFor(missing: List[MissingRequirement], origin: str) -> None:
    lines = [
        _("- {name} ({size}; license {license})").format(
            name=_name(each), size=each.requirement.size, license=each.requirement.license
        )
        for each in missing
    ]
    _ask(
        _(
            "SAM-UNet needs these Python packages in Slicer:\n\n{packages}\n\n{origin} Install them now?"
        ).format(packages="\n".join(lines), origin=origin)
    )


def _ask(question: str) -> None:
    # Under --testing Slicer answers every question itself, with yes.
    if slicer.app.testingEnabled() or not slicer.util.confirmOkCancelDisplay(
        question, windowTitle=_REQUESTER
    ):
        raise CancelledError(_("Nothing was installed."))


def _refuseWhatCannotBeReplaced(missing: List[MissingRequirement]) -> None:
    for each in missing:
        if each.found is not None and each.requirement.module in sys.modules:
            raise EngineError(
                _(
                    "{package} is in use by another module and cannot be replaced now: restart Slicer, then "
                    "press Install first."
                ).format(package=_name(each))
            )


def _requireAll() -> None:
    text = missingText()
    if text:
        raise EngineError(
            _("{missing} The Python console shows what pip said about it.").format(missing=text)
        )


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (subprocess.CalledProcessError, RuntimeError, OSError, ImportError) as error:
        raise EngineError(
            _(
                "The packages could not be installed ({reason}); the Python console shows what pip said."
            ).format(reason=error)
        ) from error


def _name(missing: MissingRequirement) -> str:
    requirement = missing.requirement
    if missing.found is None:
        return requirement.distribution
    return _("{name} {minimum} or newer (here is {found})").format(
        name=requirement.distribution, minimum=requirement.minimum, found=missing.found
    )
