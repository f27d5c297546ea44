"""Draw the column at the left: segments, what masks do, propagation, network, export."""

from trame.widgets import html
from trame.widgets import vuetify3 as v

from ...app.files import FORMATS
from ...app.texts import capitalized, directionTexts, methodTexts, policyTexts, windowTexts

# Written along with label volumes.
_NOT_OFFERED = "label-table"
_DENSE = {"density": "compact", "hide_details": True, "variant": "outlined"}


def drawSidebar(viewer) -> None:
    _drawSegments(viewer)
    _drawMaskButtons(viewer)
    v.VDivider()
    _drawChoices()
    v.VDivider()
    _drawPropagation(viewer)
    v.VDivider()
    _drawOblique()
    v.VDivider()
    _drawExport(viewer)


def _drawSegments(viewer) -> None:
    with _title("Segments"):
        v.VSpacer()
        with v.VBtn(
            click=viewer.status.guard(viewer.session.addSegment),
            size="x-small",
            variant="tonal",
            icon=True,
            title="Add a segment",
            id="add-segment",
        ):
            v.VIcon(icon="mdi-plus", size=18)
    html.Div(
        "Click on a structure: it becomes the first one.",
        v_if=("!segments.length",),
        classes="px-4 pb-2 text-caption text-medium-emphasis",
    )
    with v.VList(density="compact", classes="py-0", id="segments", max_height=260):
        with v.VListItem(
            v_for="segment in segments",
            key="segment.id",
            active=("segment.id === segmentId",),
            click=(viewer.status.guard(viewer.session.selectSegment), "[segment.id]"),
            classes="px-3 samunet-segment",
        ):
            with html.Div(classes="d-flex align-center"):
                _drawSegment(viewer)


def _drawSegment(viewer) -> None:
    segments, guard = viewer.segments, viewer.status.guard
    html.Input(
        type="color",
        value=("segment.color",),
        change=(guard(segments.setColor), "[segment.id, $event.target.value]"),
        click="$event.stopPropagation()",
        classes="samunet-color mr-2",
        title="Color",
    )
    html.Input(
        value=("segment.name",),
        change=(guard(segments.rename), "[segment.id, $event.target.value]"),
        # The list would take Space and Enter for itself.
        keydown_stop="$event.key === 'Enter' && $event.target.blur()",
        __events=[("keydown_stop", "keydown.stop")],
        classes="samunet-name flex-grow-1 mr-1",
        title="Name",
    )
    for action, icon, title in (
        (segments.toggleVisible, "segment.isVisible ? 'mdi-eye' : 'mdi-eye-off'", "Show or hide"),
        (segments.toggleLocked, "segment.isLocked ? 'mdi-lock' : 'mdi-lock-open-variant-outline'", "Lock"),
    ):
        _drawRowButton(icon, title, (guard(action), "[segment.id]"))
    _drawRowButton("'mdi-delete-outline'", "Delete", "segmentToDelete = segment")


def _drawRowButton(icon: str, title: str, click) -> None:
    # The click is not one on the row.
    options = {"click_stop": click, "__events": [("click_stop", "click.stop")]}
    with v.VBtn(icon=True, size="x-small", variant="text", title=title, density="comfortable", **options):
        v.VIcon(icon=(icon,), size=17)


def _drawMaskButtons(viewer) -> None:
    session, guard = viewer.session, viewer.status.guard
    with html.Div(classes="d-flex px-3 pb-3 pt-1", style="gap: 6px"):
        for text, action, isOff, title in (
            ("Accept", session.accept, "!hasPrompts", "Accept this slice's mask; later prompts add to it"),
            ("Clear", session.clear, "!hasPrompts", "Remove the segment's prompts from this slice"),
            (
                "Next",
                session.nextSegment,
                "!segmentId",
                "Mark this segment as complete and start another",
            ),
        ):
            v.VBtn(
                text,
                click=guard(lambda action=action: action()),
                disabled=(isOff,),
                title=title,
                size="small",
                variant="tonal",
                classes="text-none flex-grow-1",
                id=text.lower(),
            )


def _drawChoices() -> None:
    with _title("Network"):
        pass
    with html.Div(classes="px-3 pb-3 d-flex flex-column", style="gap: 8px"):
        v.VSelect(v_model=("modelId",), items=("models",), label="Model", id="model", **_DENSE)
        html.Span("{{ engineText }}", classes="text-caption text-medium-emphasis", id="engine")
        v.VSelect(v_model=("window",), items=(_items(windowTexts()),), label="Gray levels", **_DENSE)
        v.VSelect(v_model=("policy",), items=(_items(policyTexts()),), label="Other segments", **_DENSE)


def _drawPropagation(viewer) -> None:
    with _title("Other slices"):
        pass
    with html.Div(classes="px-3 pb-3 d-flex flex-column", style="gap: 8px"):
        v.VSelect(v_model=("method",), items=(_items(methodTexts()),), label="Method", **_DENSE)
        v.VSelect(
            v_model=("direction",),
            items=(_items(directionTexts()),),
            label="Direction",
            v_if=("method !== 'fill'",),
            **_DENSE,
        )
        html.Span(
            "Takes about four times as long: each axis is segmented separately.",
            v_if=("method === 'consensus'",),
            classes="text-caption text-medium-emphasis",
        )
        v.VBtn(
            "Propagate",
            click=(viewer.status.guard(viewer.propagation.start), "[method, direction]"),
            disabled=("!segmentId",),
            variant="tonal",
            size="small",
            classes="text-none",
            id="propagate",
        )
        html.A(
            "{{ review }}",
            v_for="(review, number) in reviews",
            click=(viewer.status.guard(viewer.propagation.show), "[number]"),
            classes="text-caption samunet-link",
        )


def _drawOblique() -> None:
    with _title("Oblique view"):
        pass
    with html.Div(classes="px-3 pb-2"):
        for key, label in (("obliqueTilt", "Tilt"), ("obliqueTurn", "Turn")):
            with v.VSlider(
                v_model=(key,),
                min=-90,
                max=90,
                step=1,
                label=label,
                thumb_size=14,
                track_size=2,
                hide_details=True,
                density="compact",
                id=key,
            ):
                with v.Template(v_slot_append=True):
                    html.Span(f"{{{{ {key} }}}}°", classes="text-caption samunet-angle")


def _drawExport(viewer) -> None:
    formats = {key: each.title for key, each in FORMATS.items() if key != _NOT_OFFERED}
    with _title("Results"):
        pass
    with html.Div(classes="px-3 pb-4 d-flex flex-column", style="gap: 8px"):
        with v.VSelect(
            v_model=("formats",),
            items=(_items(formats),),
            label="Files",
            multiple=True,
            id="formats",
            **_DENSE,
        ):
            with v.Template(v_slot_selection="{ item, index }"):
                html.Span(
                    "{{ item.value }}{{ index < formats.length - 1 ? ',' : '' }}", classes="text-caption"
                )
        v.VBtn(
            "Download",
            click=(viewer.status.guard(viewer.download), "[formats]"),
            disabled=("!segments.length",),
            prepend_icon="mdi-download",
            variant="tonal",
            size="small",
            classes="text-none",
            id="download",
        )
        v.VTextField(v_model=("folder",), label="Folder", id="folder", **_DENSE)
        v.VBtn(
            "Save to the folder",
            click=(viewer.status.guard(viewer.exportToFolder), "[formats, folder]"),
            disabled=("!segments.length",),
            prepend_icon="mdi-content-save-outline",
            variant="tonal",
            size="small",
            classes="text-none",
            id="export",
        )


def _title(text: str):
    row = html.Div(classes="d-flex align-center px-3 pt-3 pb-2")
    with row:
        html.Span(text, classes="text-subtitle-2")
    return row


def _items(titles: dict) -> str:
    entries = ", ".join(f"{{value: '{key}', title: '{capitalized(title)}'}}" for key, title in titles.items())
    return f"[{entries}]"
