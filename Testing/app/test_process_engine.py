import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fakes.fakeEngine import FAKE_SPEC, fake_mask
from patience import SECONDS, wait_until
from SAMUNetSlicerLib.app.engines import EngineLaunch, ProcessEngine
from SAMUNetSlicerLib.engine.serving import Message, ModelSpec
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import EngineError

TESTING = Path(__file__).resolve().parent.parent
FAKE_WORKER = str(TESTING / "fakes" / "fakeEngine.py")
IMAGE = np.zeros((600, 700), np.uint8)  # larger than a pipe's default buffer
BOX = Prompts(boxes=np.array([[5, 5, 15, 12]], np.float32))
DEADLY = np.full((4, 4), 13, np.uint8)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and /proc")


def _launch(delay=0.0, **options):
    return EngineLaunch(arguments=(FAKE_WORKER, str(delay)), pythonPath=(str(TESTING),), **options)


@pytest.fixture
def engine(request, tmp_path):
    delay = getattr(request, "param", 0.0)
    engine = ProcessEngine(_launch(delay, logPath=tmp_path / "engine.log"))
    engine.notices = []
    engine.noticed.connect(engine.notices.append)
    yield engine
    engine.close()


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_nothing_is_started_before_the_first_request():
    assert ProcessEngine(_launch()).pid is None


def test_a_prepared_model_is_loaded_by_the_first_request(engine):
    engine.prepare(FAKE_SPEC)
    assert engine.pid is None
    report = engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS)
    np.testing.assert_array_equal(report.prediction.mask, fake_mask(IMAGE.shape, BOX))
    assert engine.status.model_id == "fake"


def test_a_loaded_model_is_not_replaced_by_preparing_another(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    engine.prepare(ModelSpec(card={"id": "other"}))
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS)
    assert engine.status.model_id == "fake"


def test_a_prediction_crosses_the_processes_unchanged(engine):
    prompts = Prompts(
        points=np.array([[50, 60], [70, 62]], np.float32),
        labels=np.array([1, 0]),
        boxes=np.array([[5, 5, 15, 12]], np.float32),
        mask=np.eye(*IMAGE.shape, dtype=bool),
    )
    assert engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS) == engine.status
    report = engine.wait(engine.predict(IMAGE, prompts), timeout=SECONDS)
    np.testing.assert_array_equal(report.prediction.mask, fake_mask(IMAGE.shape, prompts))
    assert report.prediction.mask.dtype == bool
    assert report.prediction.logits.shape == IMAGE.shape
    assert report.encoding.source == "encoded"
    assert engine.wait(engine.encode(IMAGE), timeout=SECONDS).source == "memory"


def test_errors_keep_their_class_and_sentence(engine):
    with pytest.raises(EngineError, match="The fake engine refuses this image"):
        engine.wait(engine.predict(np.full((4, 4), 14, np.uint8), BOX), timeout=SECONDS)


def test_what_a_library_prints_goes_to_the_log_and_not_into_the_protocol(engine, tmp_path):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    assert "printed while loading" in (tmp_path / "engine.log").read_text()


def test_closing_leaves_no_process_and_no_zombie(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    pid = engine.pid
    engine.close()
    with pytest.raises(ProcessLookupError):  # also raised for a zombie only when it has been reaped
        os.kill(pid, 0)
    with pytest.raises(EngineError, match="was closed"):
        engine.wait(engine.predict(IMAGE, BOX))


@pytest.mark.parametrize("engine", [0.3], indirect=True)
def test_a_killed_engine_is_started_again_and_answers_the_click_that_waited(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    first = engine.pid
    prefetch, click = engine.encode(IMAGE), engine.predict(IMAGE, BOX)
    os.kill(first, signal.SIGKILL)
    report = engine.wait(click, timeout=SECONDS)
    assert report.prediction.mask.any()
    assert prefetch.isCancelled
    assert engine.pid != first
    assert len(engine.notices) == 1
    assert "stopped unexpectedly (signal SIGKILL) and was started again" in engine.notices[0]
    assert engine.status.model_id == "fake"


def test_a_request_that_kills_the_engine_twice_is_refused_and_the_next_one_works(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    with pytest.raises(EngineError, match=r"stopped twice on the same request; its log .*engine\.log"):
        engine.wait(engine.predict(DEADLY, BOX), timeout=SECONDS)
    assert engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS).prediction.mask.any()
    assert engine.status.model_id == "fake"


FAULTS = {15: "while an answer is packed", 16: "an answer nobody can read", 17: "in a thread of a library"}


@pytest.mark.parametrize("value", FAULTS, ids=FAULTS.values())
def test_a_fault_in_any_thread_ends_the_process_and_the_next_request_works(engine, value):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    with pytest.raises(EngineError, match="stopped twice on the same request"):
        engine.wait(engine.predict(np.full((4, 4), value, np.uint8), BOX), timeout=SECONDS)
    assert len(engine.notices) == 2 and "was started again" in engine.notices[0]
    assert engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS).prediction.mask.any()


def test_a_request_that_cannot_be_read_ends_the_process_and_the_others_are_answered(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    first = engine.pid
    engine._process.send(Message("predict", {"ticket": 0}))
    assert engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS).prediction.mask.any()
    assert engine.pid != first


def test_an_idle_engine_that_was_killed_is_back_for_the_next_click(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    os.kill(engine.pid, signal.SIGKILL)
    wait_until(lambda: engine.poll() or engine.notices)
    assert engine.wait(engine.predict(IMAGE, BOX), timeout=SECONDS).prediction.mask.any()
    assert engine.status.model_id == "fake"


@pytest.mark.parametrize("engine", [0.5], indirect=True)
def test_waiting_requests_are_cancelled_in_the_other_process_too(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    running = engine.encode(IMAGE)
    for i in range(1, 20):
        engine.cancel(engine.encode(IMAGE + i))
    engine.wait(running, timeout=SECONDS)
    assert engine.wait(engine.statistics(), timeout=SECONDS)["encoded"] <= 5  # one batch may have been taken


def test_requests_do_not_block_while_the_engine_is_busy(engine):
    engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    os.kill(engine.pid, signal.SIGSTOP)
    tickets = [engine.predict(IMAGE, BOX) for _ in range(20)]  # 8 MB: would never return if it blocked
    engine.poll()
    os.kill(engine.pid, signal.SIGCONT)
    for ticket in tickets:
        assert engine.wait(ticket, timeout=SECONDS).prediction.mask.any()


def test_a_python_that_does_not_exist_is_a_clear_sentence():
    engine = ProcessEngine(EngineLaunch(executable="/nowhere/PythonSlicer"))
    with pytest.raises(EngineError, match="/nowhere/PythonSlicer cannot be started"):
        engine.wait(engine.start(FAKE_SPEC))


def test_a_python_without_the_library_is_a_clear_sentence(tmp_path):
    log = tmp_path / "engine.log"
    engine = ProcessEngine(EngineLaunch(arguments=("-m", "not_installed_anywhere"), logPath=log))
    with pytest.raises(EngineError, match=r"could not start \(exit code 1\); its log .*engine.log"):
        engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    assert "not_installed_anywhere" in log.read_text()


def test_a_python_of_its_own_gets_the_environment_it_was_given():
    launch = EngineLaunch(pythonPath=("first",), environment={"PYTHONPATH": "theirs", "HOME": "/h"})
    first, library, theirs = launch.variables()["PYTHONPATH"].split(os.pathsep)
    assert (first, theirs, launch.variables()["HOME"]) == ("first", "theirs", "/h")
    assert (Path(library) / "SAMUNetSlicerLib").is_dir()
    assert "PATH" not in launch.variables()


def test_a_launcher_in_between_is_killed_together_with_the_python_it_started(tmp_path):
    """PythonSlicer does not become Python, it starts one and waits for it."""
    launcher, pid_file = tmp_path / "PythonSlicer", tmp_path / "pid"
    ignore = "import signal,os,sys,time;open(sys.argv[1],'w').write(str(os.getpid()));time.sleep(600)"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" -c "{ignore}" {pid_file} <&0\nexit $?\n')
    launcher.chmod(0o755)
    engine = ProcessEngine(EngineLaunch(executable=str(launcher)))
    engine.start(FAKE_SPEC)
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    engine.close()
    wait_until(lambda: not _is_running(int(pid_file.read_text())))


def test_the_engine_ends_when_its_parent_is_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), FAKE_WORKER],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTING), str(TESTING.parent / "SAMUNetSlicer")]),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert _is_running(pid)
        parent.kill()
    wait_until(lambda: not _is_running(pid))


_PARENT = """
    import sys, time
    import numpy as np
    from fakes.fakeEngine import FAKE_SPEC
    from SAMUNetSlicerLib.app.engines.childProcess import EngineLaunch
    from SAMUNetSlicerLib.app.engines.processEngine import ProcessEngine

    engine = ProcessEngine(EngineLaunch(arguments=(sys.argv[1], "600")))
    engine.wait(engine.start(FAKE_SPEC))
    engine.encode(np.zeros((4, 4), np.uint8))  # it dies while it computes, not while it waits
    time.sleep(0.5)
    print(engine.pid, flush=True)
    time.sleep(600)
"""


def test_a_model_that_kills_the_engine_is_given_up(tmp_path):
    engine = ProcessEngine(_launch(logPath=tmp_path / "log"))
    try:
        with pytest.raises(EngineError, match="stopped twice"):
            engine.wait(engine.start(ModelSpec(card={"id": "deadly"})), timeout=SECONDS)
    finally:
        engine.close()


def test_the_status_of_an_engine_that_has_died_is_known_for_its_answers(engine):
    loaded = engine.wait(engine.start(FAKE_SPEC), timeout=60)
    os.kill(engine.pid, signal.SIGKILL)
    wait_until(lambda: engine.poll() or engine.status is None)
    assert engine.lastStatus == loaded
