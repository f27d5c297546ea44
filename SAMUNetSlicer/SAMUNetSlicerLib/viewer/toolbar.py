"""The bar at the top: tools, undo, layout, theme."""

from trame.widgets import html
from trame.widgets import vuetify3 as v

_TOOLS = (
    ("navigate", "mdi-crosshairs", "Show a place in all views (M)"),
    ("window", "mdi-contrast-circle", "Window and level: drag (W)"),
    ("positive", "mdi-plus-circle-outline", "Point inside the structure (P)"),
    ("negative", "mdi-minus-circle-outline", "Point outside the structure (N); also Ctrl and click"),
    ("box", "mdi-vector-square", "Box around the structure (D)"),
)


def toolbar(actions) -> None:
    with v.VAppBar(density="compact", flat=True, border=True):
        v.VAppBarNavIcon(click="isSidebarOpen = !isSidebarOpen")
        html.Span("SAMUNetSlicer", classes="text-subtitle-1 font-weight-medium mr-4")
        html.Span("{{ volumeName }}", classes="text-medium-emphasis text-truncate", id="volume-name")
        v.VSpacer()
        with v.VBtnToggle(v_model=("tool",), mandatory=True, density="compact", variant="outlined"):
            for tool, icon, text in _TOOLS:
                v.VBtn(icon=icon, value=tool, title=text, id=f"tool-{tool}", size="small")
        v.VDivider(vertical=True, classes="mx-3")
        for key, icon, action in (("undo", "mdi-undo", actions.undo), ("redo", "mdi-redo", actions.redo)):
            v.VBtn(
                icon=icon,
                click=action,
                disabled=(f"!{key}Label",),
                title=(f"{key}Label ? '{key.capitalize()}: ' + {key}Label : 'Nothing to {key}'",),
                id=key,
                size="small",
            )
        v.VSpacer()
        v.VBtn(
            icon=("theme === 'dark' ? 'mdi-weather-sunny' : 'mdi-weather-night'",),
            click="theme = theme === 'dark' ? 'light' : 'dark'",
            title="Light or dark",
            id="theme",
            size="small",
        )
