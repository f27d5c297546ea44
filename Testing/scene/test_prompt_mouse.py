"""Prompts placed and dragged with a real mouse in a real slice view."""

import numpy as np
import pytest

from child_process import needs_opengl, run_in_child

pytestmark = [pytest.mark.view, needs_opengl]


def test_a_clicked_point_lies_where_the_mouse_was_on_the_slice_that_was_shown():
    run_in_child(click_and_drag)


def click_and_drag():
    from SAMUNetSlicerLib.app.files import addSliceNode, startScene
    from SAMUNetSlicerLib.scene.geometry import planeFromSliceNode
    from SAMUNetSlicerLib.scene.prompts import PromptStore
    from scene.segmentation_scene import add_segmentation, add_volume
    from scene.slice_window import SliceWindow

    host = startScene()
    volume = add_volume(host.scene, (40, 60, 60), np.diag([1, 1, 2, 1]))
    volume.CreateDefaultDisplayNodes()
    node, segment = add_segmentation(host.scene)
    view = addSliceNode(host, "Red", "Axial", (300, 300))
    view.show(volume)
    window = SliceWindow(host, view, (300, 300))
    heard = []
    store = PromptStore(host.scene, node, lambda: planeFromSliceNode(view.node, volume))
    store.changed.connect(lambda changed, plane: heard.append((changed, plane.index)))
    shown = planeFromSliceNode(view.node, volume)
    store.addPoint(segment, "negative", shown.pixelToRAS([[3, 3]])[0], shown)
    points = host.scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    heard.clear()

    host.logics["Markups"].SetActiveList(points)
    interaction = host.applicationLogic.GetInteractionNode()
    interaction.SetCurrentInteractionMode(interaction.Place)
    window.click(140, 160)
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)

    _, placed = store.promptsFor(segment, shown)
    assert placed.kind == "negative" and placed.plane.sameAs(shown)
    np.testing.assert_allclose(placed.ras[0], place_in_view(view, 140, 160), atol=1e-6)
    assert heard == [(segment, shown.index)]

    window.drag((140, 160), (180, 100))

    _, dragged = store.promptsFor(segment, shown)
    assert (dragged.id, dragged.order) == (placed.id, placed.order)
    np.testing.assert_allclose(dragged.ras[0], place_in_view(view, 180, 100), atol=1e-6)
    assert set(heard) == {(segment, shown.index)}
    store.close()


def place_in_view(view, x, y):
    return view.node.GetXYToRAS().MultiplyPoint((x, y, 0, 1))[:3]
