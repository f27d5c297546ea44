"""The page: a bar with the tools, a column with the choices, the views, and a line that says what happens."""

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v

from .pane import views as viewsGrid
from .script import KEYS, STYLE
from .sidebar import sidebar
from .toolbar import toolbar


def makePage(server, actions) -> VAppLayout:
    """:param actions: the page's callbacks, see `Actions`."""
    layout = VAppLayout(server, theme=("theme",))
    with layout:
        client.Style(STYLE)
        client.Script(KEYS)
        toolbar(actions)
        with v.VNavigationDrawer(v_model=("isSidebarOpen", True), permanent=True, width=300):
            sidebar(actions)
        with v.VMain(classes="samunet-main"):
            viewsGrid(actions)
        statusLine(actions)
    return layout


def statusLine(actions) -> None:
    with v.VFooter(app=True, height=32, classes="px-3 py-0 samunet-status", border=True):
        html.Span(
            "{{ statusText }}",
            classes=("statusIsProblem ? 'text-error text-truncate' : 'text-truncate'",),
            id="status",
        )
        v.VSpacer()
        html.Span("{{ readiness }}", classes="text-medium-emphasis mr-4 text-no-wrap")
        with html.Div(v_if=("progress",), classes="d-flex align-center", style="width: 280px"):
            html.Span("{{ progress.text }}", classes="mr-2 text-no-wrap")
            v.VProgressLinear(
                model_value=("progress.percent",), indeterminate=("progress.percent === null",), height=6
            )
            v.VBtn(
                "Cancel",
                v_if=("progress.canCancel",),
                click=actions.cancel,
                size="x-small",
                variant="text",
                id="cancel",
            )
