"""Draw the panes of the page: the picture of each view, what is written over it, and its slider."""

from typing import Callable

from trame.widgets import client, html
from trame.widgets import vuetify3 as v

from .browserViews import COLORS, TITLES
from .viewState import offsetKey, paneKey


def drawPanes() -> None:
    """Draw two rows of two panes, or one of them alone."""
    with html.Div(classes="samunet-views"):
        for name in COLORS:
            isShown = f"!maximized || maximized === '{name}'"
            with html.Div(classes="samunet-pane d-flex flex-column", v_if=(isShown,)):
                with html.Div(classes="flex-grow-1 samunet-picture", id=f"view-{name}"):
                    client.ServerTemplate(name=name)
                _drawSlider(name)


def drawOverlay(name: str, onFit: Callable[[], None], onMaximize: Callable[[], None]) -> None:
    """Draw letters, title and buttons over the picture of a view."""
    pane = paneKey(name)
    for border in ("left", "right", "top", "bottom"):
        html.Div(f"{{{{ ({pane}.letters || {{}}).{border} }}}}", classes=f"samunet-letter samunet-{border}")
    with html.Div(classes="samunet-title"):
        html.Span(TITLES[name], style=f"color: {COLORS[name]}", classes="font-weight-bold")
        html.Span(f"{{{{ {pane}.position }}}}", id=f"position-{name}")
    html.Div("{{ windowText }}", classes="samunet-window")
    with html.Div(classes="samunet-buttons"):
        _drawButton("'mdi-fit-to-screen-outline'", onFit, "Show all of the volume", f"fit-{name}")
        icon = "maximized ? 'mdi-fullscreen-exit' : 'mdi-fullscreen'"
        _drawButton(icon, onMaximize, "This view alone, or all views", f"maximize-{name}")


def _drawButton(icon: str, click, title: str, elementId: str) -> None:
    with v.VBtn(icon=True, click=click, size="x-small", variant="text", title=title, id=elementId):
        v.VIcon(icon=(icon,), size=18)


def _drawSlider(name: str) -> None:
    pane = paneKey(name)
    v.VSlider(
        v_model=(offsetKey(name),),
        min=(f"{pane}.low || 0",),
        max=(f"{pane}.high || 1",),
        step=(f"{pane}.step || 1",),
        hide_details=True,
        density="compact",
        thumb_size=12,
        track_size=2,
        color=COLORS[name],
        classes="samunet-slider flex-grow-0",
        title=f"{TITLES[name]} slice",
    )
