"""One pane of the page for each view: its picture, and what is written over it."""

from trame.widgets import client, html
from trame.widgets import vuetify3 as v

from .sliceViews import COLORS, TITLES
from .viewState import offsetKey, paneKey


def views(actions) -> None:
    """The panes in two rows, or one of them alone."""
    with html.Div(classes="samunet-views"):
        for name in COLORS:
            isShown = f"(!maximized || maximized === '{name}')"
            with html.Div(classes="samunet-pane", v_if=(isShown,), id=f"view-{name}"):
                client.ServerTemplate(name=name)


def fillPane(name: str, actions) -> None:
    """Letters, name and slider over the picture of a view."""
    pane = paneKey(name)
    for border in ("left", "right", "top", "bottom"):
        html.Div(f"{{{{ ({pane}.letters || {{}}).{border} }}}}", classes=f"samunet-letter samunet-{border}")
    with html.Div(classes="samunet-title"):
        html.Span(TITLES[name], style=f"color: {COLORS[name]}", classes="font-weight-bold")
        html.Span(f"{{{{ {pane}.position }}}}", classes="ml-2")
    with html.Div(classes="samunet-buttons"):
        v.VBtn(
            icon="mdi-fit-to-screen-outline",
            click=(actions.fit, f"['{name}']"),
            size="x-small",
            variant="text",
            title="Show all of the volume",
        )
        v.VBtn(
            icon=("maximized ? 'mdi-window-restore' : 'mdi-window-maximize'",),
            click=(actions.maximize, f"['{name}']"),
            size="x-small",
            variant="text",
            title="This view alone, or all views",
        )
    v.VSlider(
        v_model=(offsetKey(name),),
        min=(f"{pane}.low || 0",),
        max=(f"{pane}.high || 1",),
        step=(f"{pane}.step || 1",),
        hide_details=True,
        density="compact",
        color=COLORS[name],
        classes="samunet-slider",
        aria_label=f"{TITLES[name]} slice",
    )
