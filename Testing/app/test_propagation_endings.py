"""However a propagation ends, what was done is kept, said, and one undo step."""

import pytest

from app.desk import SHAPE
from app.propagation_desk import DEPTH
from fakes.fakeEngine import FAKE_SPEC
from SAMUNetSlicerLib.app.propagation import PropagationOptions
from SAMUNetSlicerLib.errors import EngineError, InputError, PromptError


def test_cancelling_keeps_what_is_done(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start(PropagationOptions(direction="up"))
    while len(way.steps) < 3:
        way.session.poll()
        if way.engine.jobs:
            way.engine.answer()
    way.propagator.cancel()
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    report = way.reports[-1]
    assert report.isCancelled and 0 < len(report.slices) < DEPTH - 5
    assert way.filled() == [4, *(each.plane.index for each in report.slices)]
    assert not way.engine.jobs
    way.session.undo()
    assert way.filled() == [4]


INTERRUPTIONS = {
    "undo": lambda way: way.session.undo(),
    "another volume": lambda way: way.session.setVolume(None),
    "another segmentation": lambda way: way.session.setSegmentation(None),
    "another model": lambda way: way.session.setModel(FAKE_SPEC),
    "closing": lambda way: way.session.close(),
    "its end": lambda way: way.propagator.close(),
    "another prompt": lambda way: way.session.addPoint((40, 30), plane=way.plane(4)),
    "removing the segment": lambda way: way.session.segmentationNode.RemoveSegment(way.session.segmentId),
    "deleting the volume": lambda way: way.scene.RemoveNode(way.volume),
}


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_whatever_the_user_does_meanwhile_ends_it_in_order(way, name):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    way.answer(6)
    INTERRUPTIONS[name](way)
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    way.session.poll()
    assert len(way.reports) == 1 and not way.propagator.isRunning


def test_undo_meanwhile_takes_the_whole_propagation_back(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    way.answer(8)
    assert way.session.undo()
    assert way.filled() == [4] and way.session.redoLabel == "propagate"


def test_an_error_of_the_engine_is_said_and_what_is_done_stays(way):
    way.box()
    predict = way.engine.service.predict
    calls = []

    def failing(image, prompts):
        calls.append(image)
        if len(calls) > 3:
            raise EngineError("The engine is tired; let it rest.")
        return predict(image, prompts)

    way.engine.service.predict = failing
    report = way.run()
    assert str(report.error) == "The engine is tired; let it rest." and way.errors == [report.error]
    assert len(way.filled()) == 4 and way.session.undoLabel == "propagate"


def test_what_cannot_be_propagated_is_said(way):
    with pytest.raises(PromptError, match="no segment"):
        way.run()
    way.session.addSegment()
    assert "segment the structure on a slice" in str(way.run().error)
    way.box()
    assert "segment the structure on a slice" in str(way.run(axis="I").error)
    way.propagator.start()
    with pytest.raises(PromptError, match="already"):
        way.propagator.start()
    way.propagator.waitUntilFinished()
    with pytest.raises(InputError, match="direction"):
        PropagationOptions(direction="sideways")


def test_without_a_model_only_filling_is_possible(way):
    way.box(2)
    way.box(6)
    way.engine.status = None
    assert not way.engine.hasModel
    with pytest.raises(EngineError, match="No model"):
        way.run()
    way.run(method="fill")
    assert way.filled() == [2, 3, 4, 5, 6]


def test_an_engine_that_is_started_again_under_way_costs_no_slice(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start(PropagationOptions())
    for count in (0, 1, 2, 3, 4):  # between encoding and predicting, at both fronts
        way.answer(count)
        way.engine.restart()
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    (report,) = way.reports
    assert report.error is None and way.filled() == list(range(DEPTH))


def test_an_engine_that_dies_under_way_is_one_error_and_keeps_what_is_done(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start(PropagationOptions())
    way.answer(6)  # learn, encode ahead at both fronts, predict one
    status, way.engine.status = way.engine.status, None
    while way.engine.jobs:
        way.engine.fail(EngineError("The engine has ended."))
    way.propagator.waitUntilFinished()
    (report,) = way.reports
    assert str(report.error) == "The engine has ended." and len(report.slices) == 1
    assert way.filled() == sorted({4, *(each.plane.index for each in report.slices)})
    way.engine.status, way.engine.is_automatic = status, True
    way.run()
    assert way.filled() == list(range(DEPTH))


def test_encoding_ahead_waits_until_the_propagation_is_done(way):
    way.box()
    way.session.prefetch(way.plane(20, "J"))
    way.session.poll()
    way.engine.is_automatic = False
    way.propagator.start()
    ahead = set()
    while not way.reports:
        way.session.poll()
        if way.engine.jobs:
            ahead |= {job.arguments["image"].shape for job in way.engine.waiting("encode")}
            way.engine.answer()
    assert ahead == {SHAPE[1:]}, "a slice of the other orientation was encoded meanwhile"
