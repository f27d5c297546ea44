import threading
from dataclasses import replace

import numpy as np
import pytest

from fakes.blob_model import BlobModel
from fakes.fakeEngine import FAKE_SPEC, FakeService, fake_mask
from patience import SECONDS
from SAMUNetSlicerLib.app.engines import ThreadEngine
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.engine.serving import EngineService, ModelSpec, Priority
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import CancelledError, EngineError

IMAGE = np.zeros((20, 30), np.uint8)
BOX = Prompts(boxes=np.array([[5, 5, 15, 12]], np.float32))


class GatedService(FakeService):
    """Encodes only while the gate is open, so that a test decides what runs and what waits."""

    def __init__(self, notify=lambda sentence: None):
        super().__init__(notify)
        self.gate, self.has_started = threading.Event(), threading.Event()

    def encode(self, images):
        self.has_started.set()
        assert self.gate.wait(SECONDS)
        return super().encode(images)


@pytest.fixture
def service():
    return GatedService()


@pytest.fixture
def engine(service):
    engine = ThreadEngine(lambda notify: service)
    yield engine
    service.gate.set()
    engine.close()
    assert not engine._thread.is_alive()


def test_the_status_is_known_once_the_model_is_loaded(engine):
    statuses = []
    engine.statusChanged.connect(statuses.append)
    status = engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    assert status.model_id == "fake"
    assert statuses == [status] and engine.status == status


def test_a_model_that_cannot_be_loaded_is_an_error_and_no_status(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    with pytest.raises(EngineError, match="fake model is broken"):
        engine.wait(engine.start(ModelSpec(card={"id": "broken"})), timeout=SECONDS)
    assert engine.status is None


def test_a_prediction_is_delivered_on_the_thread_that_polls(engine):
    threads = []
    ticket = engine.predict(IMAGE, BOX).whenDone(lambda ticket: threads.append(threading.current_thread()))
    report = engine.wait(ticket, timeout=SECONDS)
    assert threads == [threading.current_thread()]
    np.testing.assert_array_equal(report.prediction.mask, fake_mask(IMAGE.shape, BOX))


def test_a_click_is_answered_before_prefetches_that_were_asked_for_earlier(engine, service):
    order = []
    tickets = [engine.encode(IMAGE)]
    service.has_started.wait(SECONDS)
    tickets += [engine.encode(IMAGE + 1), engine.predict(IMAGE, BOX)]
    for ticket in tickets:
        ticket.whenDone(lambda ticket: order.append(ticket.operation))
    service.gate.set()
    for ticket in tickets:
        engine.wait(ticket, timeout=SECONDS)
    assert order == ["encode", "predict", "encode"]


def test_waiting_prefetches_are_encoded_together_up_to_the_batch_size(engine, service):
    tickets = [engine.encode(IMAGE + 0)]
    service.has_started.wait(SECONDS)
    tickets += [engine.encode(IMAGE + i) for i in range(1, 7)]
    service.gate.set()
    for ticket in tickets:
        engine.wait(ticket, timeout=SECONDS)
    assert service.batches == [1, 4, 2]


def test_a_bad_image_does_not_fail_the_others_of_its_batch(engine, service):
    tickets = [engine.encode(IMAGE)]
    service.has_started.wait(SECONDS)
    tickets += [engine.encode(IMAGE + value) for value in (1, 14, 2)]
    service.gate.set()
    assert engine.wait(tickets[1], timeout=SECONDS).key
    with pytest.raises(EngineError, match="refuses this image"):
        engine.wait(tickets[2], timeout=SECONDS)
    assert engine.wait(tickets[3], timeout=SECONDS).source == "encoded"


def test_a_cancelled_request_is_done_at_once_and_not_computed(engine, service):
    running = engine.encode(IMAGE)
    service.has_started.wait(SECONDS)
    waiting = [engine.encode(IMAGE + i) for i in range(1, 4)]
    for ticket in waiting:
        engine.cancel(ticket)
        assert ticket.isDone and ticket.isCancelled
        with pytest.raises(CancelledError):
            ticket.value()
    service.gate.set()
    engine.wait(running, timeout=SECONDS)
    assert engine.wait(engine.statistics(), timeout=SECONDS)["encoded"] == 1


def test_a_cancelled_request_that_runs_already_is_finished_but_not_delivered(engine, service):
    results = []
    running = engine.encode(IMAGE).whenDone(lambda ticket: results.append(ticket.result))
    service.has_started.wait(SECONDS)
    engine.cancel(running)
    service.gate.set()
    assert engine.wait(engine.encode(IMAGE, priority=Priority.CLICK), timeout=SECONDS).source == "memory"
    assert results == [None]


def test_an_unexpected_fault_becomes_one_sentence_and_the_engine_goes_on(engine, service, caplog):
    service.predict = lambda image, prompts: {}["missing"]
    with pytest.raises(EngineError, match="KeyError: 'missing'"):
        engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS)
    assert "Traceback" in caplog.text
    assert engine.wait(engine.statistics(), timeout=SECONDS)["encoded"] == 0


def test_waiting_pumps_the_front_end(engine, service):
    ticket = engine.encode(IMAGE)
    engine.wait(ticket, pump=service.gate.set, timeout=SECONDS)
    assert ticket.isDone


def test_waiting_longer_than_allowed_says_so(engine):
    with pytest.raises(EngineError, match=r"did not answer within 0\.1 s"):
        engine.wait(engine.encode(IMAGE), timeout=0.1)


def test_closing_settles_what_still_waits(service):
    engine = ThreadEngine(lambda notify: service)
    tickets = [engine.encode(IMAGE), engine.predict(IMAGE, BOX)]
    service.gate.set()
    engine.close()
    engine.close()
    assert all(ticket.isCancelled for ticket in tickets)


def test_an_engine_that_cannot_start_answers_every_request_with_the_reason():
    def broken(notify):
        raise ImportError("No module named 'torch'")

    engine = ThreadEngine(broken)
    first = engine.encode(IMAGE)
    with pytest.raises(EngineError, match=r"could not start \(No module named 'torch'\)"):
        engine.wait(first, timeout=SECONDS)
    with pytest.raises(EngineError, match="could not start"):
        engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS)
    engine.close()


def test_a_closed_engine_says_so(service):
    service.gate.set()
    engine = ThreadEngine(lambda notify: service)
    engine.close()
    with pytest.raises(EngineError, match="is closed"):
        engine.wait(engine.encode(IMAGE), timeout=SECONDS)


def test_what_is_encoded_for_prompts_is_what_their_prediction_needs():
    model = BlobModel()
    model.capabilities = replace(model.capabilities, close_up=True)
    engine = ThreadEngine(lambda notify: EngineService(notify, load=lambda *_: model))
    image = np.zeros((300, 300), np.uint8)
    for box, whole in (((100, 100, 112, 109), "encoded"), ((10, 10, 250, 200), "memory")):
        prompts = Prompts(boxes=np.array([box], np.float32))
        engine.wait(engine.start(ModelSpec(load_catalog().get("litemedsam").to_json())))
        engine.wait(engine.encodeFor(image, prompts))
        report = engine.wait(engine.predict(image, prompts))
        assert report.encoding.source == "memory"
        assert engine.wait(engine.encode(image)).source == whole
        engine.wait(engine.clearCache())
    engine.close()
