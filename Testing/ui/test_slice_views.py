"""The panel in Slicer's slice views: there while the module is shown, gone afterwards."""

import types

import pytest
import slicer
import vtk

from SAMUNetSlicerLib.app.files import addSliceNode


class Manager:
    """Names of `qMRMLLayoutManager`, `qMRMLSliceWidget` and `qMRMLSliceView` that the panel uses."""

    def __init__(self, *sliceNodes):
        self.slots = []
        self.views = {}
        for node in sliceNodes:
            self.add(node)

    def add(self, node):
        interactor = vtk.vtkGenericRenderWindowInteractor()
        interactor.SetInteractorStyle(None)  # which observes as well
        view = types.SimpleNamespace(interactor=lambda: interactor, scheduleRender=lambda: None)
        widget = types.SimpleNamespace(sliceView=lambda: view, mrmlSliceNode=lambda: node)
        self.views[node.GetLayoutName()] = widget

    def sliceViewNames(self):
        return tuple(self.views)

    def sliceWidget(self, name):
        return self.views[name]

    def connect(self, signal, slot):
        assert signal == "layoutChanged(int)"
        self.slots.append(slot)

    def disconnect(self, signal, slot):
        self.slots.remove(slot)

    def isWatched(self, name):
        return bool(self.views[name].sliceView().interactor().HasObserver("LeftButtonPressEvent"))


@pytest.fixture
def manager(bench, monkeypatch):
    manager = Manager(bench.view.node)
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: manager)
    bench.panel.exit()
    return manager


def test_views_are_watched_only_while_the_module_is_shown(bench, manager):
    assert not manager.isWatched("Red")
    bench.panel.enter()
    assert manager.isWatched("Red")
    bench.panel.exit()
    assert not manager.isWatched("Red")
    assert not manager.slots


def test_a_view_of_another_layout_is_watched_as_well(bench, manager, host):
    bench.panel.enter()
    bench.click("positiveButton")
    manager.add(addSliceNode(host, "Green", "Coronal").node)
    (changed,) = manager.slots
    changed()
    assert manager.isWatched("Green")
    assert bench.panel.tools.tool == "positive"


def test_a_mouse_mode_of_slicer_puts_the_tool_down(bench, manager):
    bench.panel.enter()
    bench.click("positiveButton")
    interaction = bench.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    interaction.SetCurrentInteractionMode(interaction.Place)
    assert bench.panel.tools.tool is None


def test_the_shown_slice_is_the_one_that_is_worked_on(bench):
    bench.show(7)
    assert bench.session.plane.index == 7


def test_encoding_ahead_can_be_switched_off(bench):
    bench.ui.prefetchCheck.checked = False
    bench.click("positiveButton")
    bench.show(5)
    bench.tick(50)
    assert not bench.engine.service.batches


def test_a_view_that_its_layout_has_deleted_does_not_hold_up_the_others(bench):
    from SAMUNetSlicerLib.ui.parts import renderLater

    drawn = []

    def schedule_deleted():
        raise ValueError("Trying to call 'scheduleRender' on a destroyed qMRMLSliceView object")

    for schedule in (schedule_deleted, lambda: drawn.append(True)):
        renderLater(types.SimpleNamespace(scheduleRender=schedule))()
    assert drawn
