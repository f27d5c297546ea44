"""The column at the left: segments and choices."""

from trame.widgets import html
from trame.widgets import vuetify3 as v


def sidebar(actions) -> None:
    _segments(actions)


def _segments(actions) -> None:
    with html.Div(classes="d-flex align-center px-3 pt-2"):
        html.Span("Segments", classes="text-subtitle-2")
        v.VSpacer()
        v.VBtn(icon="mdi-plus", click=actions.addSegment, size="small", variant="text", id="add-segment")
    with v.VList(density="compact", id="segments"):
        with v.VListItem(
            v_for="segment in segments",
            key="segment.id",
            active=("segment.id === segmentId",),
            click=(actions.selectSegment, "[segment.id]"),
        ):
            html.Span("{{ segment.name }}")
