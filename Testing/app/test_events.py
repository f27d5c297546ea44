import logging

from SAMUNetSlicerLib.events import Signal


def test_listeners_are_called_in_order_with_the_arguments():
    calls, signal = [], Signal("s")
    signal.connect(lambda *arguments: calls.append(("first", arguments)))
    signal.connect(lambda *arguments: calls.append(("second", arguments)))
    signal.emit(1, "a")
    assert calls == [("first", (1, "a")), ("second", (1, "a"))]


def test_a_listener_that_raises_does_not_stop_the_others_and_is_logged(caplog):
    calls, signal = [], Signal("maskChanged")

    def fail():
        raise ValueError("broken view")

    signal.connect(fail)
    signal.connect(lambda: calls.append(1))
    with caplog.at_level(logging.ERROR):
        signal.emit()
    assert calls == [1]
    assert "maskChanged" in caplog.text and "broken view" in caplog.text


def test_a_listener_connected_twice_is_called_once():
    calls, signal = [], Signal("s")
    listener = calls.append
    signal.connect(listener)
    signal.connect(listener)
    signal.emit(1)
    assert calls == [1]


def test_a_listener_disconnected_by_an_earlier_one_is_not_called():
    calls, signal = [], Signal("s")

    def later():
        calls.append("later")

    signal.connect(lambda: signal.disconnect(later))
    signal.connect(later)
    signal.emit()
    assert calls == []


def test_disconnecting_an_unknown_listener_is_ignored():
    Signal("s").disconnect(print)
