"""Draw the bar at the top: tools, undo, looks."""

from functools import partial

from trame.widgets import html
from trame.widgets import vuetify3 as v

from ...engine.windowing import CT_PRESETS
from ..views import AUTOMATIC

_TOOLS = (
    ("navigate", "mdi-crosshairs-gps", "Show a place in all views (M)"),
    ("window", "mdi-contrast-circle", "Window and level: drag in a view (W)"),
    ("positive", "mdi-plus-circle-outline", "Click inside the structure (P)"),
    ("negative", "mdi-minus-circle-outline", "Click outside of it (N), or Ctrl and click with any tool"),
    ("box", "mdi-vector-square", "Drag a box around the structure (D)"),
)
_SWITCHES = (
    ("hasCrosshair", "mdi-crosshairs", "Crosshair"),
    ("hasSliceLines", "mdi-axis-arrow", "Lines of the other slices"),
)


def drawToolbar(viewer) -> None:
    with v.VAppBar(density="compact", flat=True, border=True, classes="samunet-bar"):
        v.VAppBarNavIcon(click="isSidebarOpen = !isSidebarOpen", title="Show or hide the column")
        html.Span("SAMUNetSlicer", classes="text-subtitle-1 font-weight-medium mr-4 d-none d-md-inline")
        v.VBtn(
            "{{ volumeName || 'Open' }}",
            click="openError = ''; isOpening = true",
            prepend_icon="mdi-folder-open-outline",
            variant="text",
            classes="text-none samunet-volume",
            title="Open another volume",
            id="open",
        )
        v.VSpacer()
        _drawTools(viewer)
        _drawWindows(viewer)
        _drawUndo(viewer)
        v.VSpacer()
        for key, icon, title in _SWITCHES:
            _drawIcon(icon, f"{key} = !{key}", title, key, active=(key,))
        _drawIcon("mdi-keyboard-outline", "isHelping = true", "Keys and mouse", "help")
        with v.VBtn(
            icon=True,
            click="theme = theme === 'dark' ? 'light' : 'dark'",
            title="Light or dark",
            id="theme",
            size="small",
        ):
            v.VIcon(icon=("theme === 'dark' ? 'mdi-white-balance-sunny' : 'mdi-weather-night'",))


def _drawTools(viewer) -> None:
    with v.VBtnToggle(model_value=("tool",), mandatory=True, density="comfortable", variant="outlined"):
        for tool, icon, title in _TOOLS:
            # A call arrives before the mouse that follows it; a change of the state may be overtaken.
            take = viewer.status.guard(partial(viewer.tools.take, tool))
            with v.VBtn(value=tool, click=take, title=title, id=f"tool-{tool}", size="small", min_width=48):
                v.VIcon(icon=icon, size=22)


def _drawWindows(viewer) -> None:
    with v.VMenu():
        with v.Template(v_slot_activator="{ props }"):
            options = {"v_bind": "props", "variant": "text", "size": "small", "classes": "text-none ml-2"}
            v.VBtn("{{ windowText }}", append_icon="mdi-menu-down", title="Window", id="window", **options)
        with v.VList(density="compact", id="windows"):
            for name, (width, level) in {AUTOMATIC: ("", ""), **CT_PRESETS}.items():
                title = "All intensities" if name == AUTOMATIC else f"CT {name}: W {width:g} L {level:g}"
                choose = partial(viewer.setDisplayWindow, name)
                v.VListItem(title=title, click=viewer.status.guard(choose))


def _drawUndo(viewer) -> None:
    for key, action in (("undo", viewer.session.undo), ("redo", viewer.session.redo)):
        text = f"{key}Label ? '{key.capitalize()}: ' + {key}Label : 'Nothing to {key}'"
        _drawIcon(
            f"mdi-{key}",
            viewer.status.guard(action),
            (text,),
            key,
            disabled=(f"!{key}Label",),
            classes="ml-2",
        )


def _drawIcon(icon: str, click, title, elementId: str, **options) -> None:
    with v.VBtn(icon=True, click=click, title=title, id=elementId, size="small", **options):
        v.VIcon(icon=icon)
