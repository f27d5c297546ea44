"""Draw the page: a bar with the tools, a column with the choices, the views, and the status line."""

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v

from ..views import drawPanes
from .dialogs import drawDialogs
from .script import ENDED, SCRIPT, STYLE
from .sidebar import drawSidebar
from .toolbar import drawToolbar

THIS_PAGE = "utils.get('samunetPage')"


def drawPage(server, viewer) -> VAppLayout:
    """Draw the whole page.

    :param viewer: `Viewer`, whose parts the page's elements call.
    """
    server.state.trame__template_error = ENDED
    layout = VAppLayout(server, theme=("theme",))
    with layout:
        client.Style(STYLE)
        client.Script(SCRIPT)
        viewer.fetch = client.JSEval(exec="utils.get('samunetFetch')($event)").exec
        client.ClientTriggers(mounted=(viewer.pages.enter, f"[{THIS_PAGE}]"))
        client.ClientStateChange(value="activePage", change=(viewer.pages.enter, f"[{THIS_PAGE}]"))
        drawToolbar(viewer)
        with v.VNavigationDrawer(v_model=("isSidebarOpen", True), permanent=True, width=304):
            drawSidebar(viewer)
        with v.VMain(classes="samunet-main"):
            drawPanes()
        drawDialogs(viewer, THIS_PAGE)
        _drawStatus(viewer)
    return layout


def _drawStatus(viewer) -> None:
    with v.VFooter(app=True, height=32, classes="px-3 py-0 samunet-status", border=True):
        html.Span(
            "{{ statusText }}",
            classes=("'text-truncate' + (statusIsProblem ? ' text-error' : '')",),
            title=("statusText",),
            id="status",
        )
        v.VSpacer()
        html.Span("{{ readiness }}", classes="text-medium-emphasis mx-4 text-no-wrap", id="readiness")
        with html.Div(v_if=("progress",), classes="d-flex align-center samunet-progress", id="progress"):
            html.Span("{{ progress.text }}", classes="mr-2 text-no-wrap")
            v.VProgressLinear(
                model_value=("progress.percent",), indeterminate=("progress.percent === null",), height=6
            )
            v.VBtn(
                "Cancel",
                v_if=("progress.canCancel",),
                click=viewer.status.cancel,
                size="x-small",
                variant="text",
                id="cancel",
            )
