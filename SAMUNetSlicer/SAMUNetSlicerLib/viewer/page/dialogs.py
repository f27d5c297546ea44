"""Draw the dialogs in front of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v

from ..server import ENDINGS

_HELP = (
    ("P, N, D", "Point inside, point outside, box"),
    ("M, W", "Show a place in all views; window and level"),
    ("Ctrl and click", "Point outside, with any of the three prompt tools"),
    ("Wheel", "Through the slices"),
    ("Ctrl and wheel, right button", "Zoom"),
    ("Middle button, Shift and left button", "Move the picture"),
    ("Shift and move", "Crosshair: all views follow"),
    ("Ctrl+Z, Ctrl+Y", "Undo, redo"),
    ("Escape", "Discard a box"),
)


def drawDialogs(viewer, thisPage: str) -> None:
    """Draw all dialogs.

    :param thisPage: JavaScript of the page's own name, see `Pages`.
    """
    _drawOpening(viewer)
    _drawSavedWork(viewer)
    _drawDeletion(viewer)
    _drawHelp()
    _drawOtherPage(viewer, thisPage)


def _drawOpening(viewer) -> None:
    with v.VDialog(v_model=("isOpening", False), max_width=560), v.VCard(title="Open a volume"):
        with v.VCardText():
            v.VTextField(
                v_model=("pathToOpen", ""),
                label="Path on the viewer's computer: an image file or a DICOM folder",
                density="compact",
                variant="outlined",
                id="path",
            )
            v.VBtn(
                "Open",
                click=(viewer.openFromDialog, "[pathToOpen]"),
                disabled=("!pathToOpen || progress",),
                variant="tonal",
                classes="text-none mb-6",
                id="open-path",
            )
            html.Div("Or a file of this computer; all files of a series for DICOM:", classes="mb-2")
            html.Input(type="file", id="upload", multiple=True, accept=",".join(ENDINGS))
            v.VProgressLinear(indeterminate=True, v_if=("isUploading", False), classes="mt-3")
            html.Div("{{ openError }}", v_if=("openError", ""), classes="text-error mt-3", id="open-error")


def _drawSavedWork(viewer) -> None:
    with v.VDialog(model_value=("!!savedWork",), persistent=True, max_width=480):
        with v.VCard(title="Continue where you left off?"):
            v.VCardText("{{ volumeName }} was worked on before: {{ savedWork }}.")
            with v.VCardActions():
                v.VSpacer()
                _drawAnswer("Start over", viewer.status.guard(viewer.opening.beginAnew), "begin-anew")
                _drawAnswer("Continue", viewer.status.guard(viewer.opening.restore), "continue", "primary")


def _drawDeletion(viewer) -> None:
    with v.VDialog(v_model=("segmentToDelete", None), max_width=420):
        with v.VCard(title="Delete the segment?"):
            v.VCardText(
                "{{ segmentToDelete ? segmentToDelete.name : '' }} and its prompts go; that cannot be undone."
            )
            with v.VCardActions():
                v.VSpacer()
                _drawAnswer("Keep", "segmentToDelete = null", "keep")
                delete = viewer.server.trigger_name(viewer.status.guard(viewer.segments.delete))
                click = f"trigger('{delete}', [segmentToDelete.id]); segmentToDelete = null"
                _drawAnswer("Delete", click, "delete", "error")


def _drawHelp() -> None:
    with v.VDialog(v_model=("isHelping", False), max_width=520), v.VCard(title="Keys and mouse"):
        with v.VTable(density="compact"), html.Tbody():
            for keys, meaning in _HELP:
                with html.Tr():
                    html.Td(keys, classes="font-weight-medium")
                    html.Td(meaning)


def _drawOtherPage(viewer, thisPage: str) -> None:
    isElsewhere = f"activePage && activePage !== {thisPage}"
    with v.VDialog(model_value=(isElsewhere,), persistent=True, max_width=460):
        with v.VCard(title="Open in another tab", id="other-page"):
            v.VCardText("This viewer is being used in another tab or window. It works in one at a time.")
            with v.VCardActions():
                v.VSpacer()
                _drawAnswer("Use it here", (viewer.pages.takeOver, f"[{thisPage}]"), "take-over", "primary")


def _drawAnswer(text: str, click, elementId: str, color: str = "") -> None:
    v.VBtn(text, click=click, classes="text-none", id=elementId, **({"color": color} if color else {}))
