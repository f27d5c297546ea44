"""Window and level of the shown volume."""

from ...engine.windowing import CT_PRESETS
from ...errors import InputError

AUTOMATIC = "auto"


def setDisplayWindow(volumeNode, name: str) -> None:
    """Show a volume with a window.

    :param name: of `CT_PRESETS`, or ``AUTOMATIC`` for nearly all of its intensities.
    :raises InputError: there is no such window.
    """
    display = volumeNode.GetDisplayNode()
    if display is None or not hasattr(display, "SetAutoWindowLevel"):
        return  # color images have none
    if name == AUTOMATIC:
        display.SetAutoWindowLevel(True)
        return
    if name not in CT_PRESETS:
        known = ", ".join((AUTOMATIC, *sorted(CT_PRESETS)))
        raise InputError(f"'{name}' is not a window: use one of {known}.")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(*CT_PRESETS[name])
