import pytest

from SAMUNetSlicerLib.app.engines import Ticket
from SAMUNetSlicerLib.errors import CancelledError, EngineError


def test_listeners_hear_of_the_first_answer_only():
    ticket, heard = Ticket(1, "predict"), []
    ticket.whenDone(lambda settled: heard.append(settled.result))
    ticket.settle("first")
    ticket.settle(EngineError("late"))
    assert heard == ["first"] and ticket.value() == "first"


def test_who_asks_after_the_answer_hears_it_at_once():
    ticket, heard = Ticket(1, "predict"), []
    ticket.settle("answer")
    ticket.whenDone(lambda settled: heard.append(settled.result))
    assert heard == ["answer"]


def test_an_error_is_raised_by_whoever_wants_the_value():
    ticket = Ticket(1, "predict")
    ticket.settle(EngineError("It failed."))
    with pytest.raises(EngineError, match="It failed"):
        ticket.value()
    assert not ticket.isCancelled
    cancelled = Ticket(2, "predict")
    cancelled.settle(CancelledError("Cancelled."))
    assert cancelled.isCancelled and cancelled.isDone
