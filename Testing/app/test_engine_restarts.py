"""Work that takes many slices goes on when the engine's process has to be started again."""

import os
import signal

import pytest

from app.batch_runs import fake_launch, options, write_image, write_prompts
from app.desk import Desk
from app.propagation_desk import BOX
from fakes.fakeEngine import FAKE_SPEC
from patience import SECONDS
from SAMUNetSlicerLib.app.batch import BatchJob, CaseRunner
from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.propagation import Propagator
from SAMUNetSlicerLib.app.session import SegmentationSession

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def engine():
    engine = ProcessEngine(fake_launch(0.02))
    engine.notices = []
    engine.noticed.connect(engine.notices.append)
    yield engine
    engine.close()


class Killer:
    """Kills the engine at the first of these counts of finished slices, and at each later one."""

    def __init__(self, engine, *counts):
        self.engine, self.counts = engine, list(counts)

    def __call__(self, done, total):
        if self.counts and done >= self.counts[0] and self.engine.pid is not None:
            self.counts.pop(0)
            os.kill(self.engine.pid, signal.SIGKILL)


def test_a_propagation_goes_on_and_loses_no_slice(host, engine):
    desk = Desk(host.scene)
    session = SegmentationSession(host.scene, engine)
    session.setVolume(desk.volume)
    engine.wait(session.setModel(FAKE_SPEC), timeout=SECONDS)
    session.addBox(*BOX, desk.plane(4))
    session.waitUntilIdle()
    propagator, reports = Propagator(session), []
    propagator.finished.connect(reports.append)
    propagator.progress.connect(Killer(engine, 2, 5))
    os.kill(engine.pid, signal.SIGKILL)
    while not engine.notices:  # it has died while nobody asked for anything
        session.poll()
    propagator.start()
    propagator.waitUntilFinished()
    propagator.close()
    (report,) = reports
    assert report.error is None and len(report.slices) == 9
    assert len(engine.notices) == 3 and all("was started again" in each for each in engine.notices)
    session.close()
    desk.session.close()


@pytest.mark.parametrize("more", [{}, {"propagate": True}], ids=["prompts", "propagation"])
def test_a_case_with_a_prompts_file_goes_on_and_is_what_it_is_without_a_restart(tmp_path, engine, more):
    write_image(tmp_path / "in" / "case.nrrd")
    planes = [
        {"plane": {"axis": "K", "index": k}, "boxes": [{"ijk": [[6, 7, k], [20, 18, k]]}]} for k in (1, 2, 3)
    ]
    write_prompts(tmp_path / "p.json", *planes, **more)
    records, kills = [], Killer(engine, 1, 3)
    for folder, progress in (("undisturbed", lambda *_: None), ("killed", kills)):
        (tmp_path / folder).mkdir()
        (task,) = BatchJob(options(tmp_path / "in", tmp_path / "p.json", tmp_path / folder))._tasks
        runner = CaseRunner(engine)
        records.append(runner.run(task, progress))
        runner.close()
    assert not kills.counts and engine.notices
    assert [record.state for record in records] == ["done", "done"]
    assert records[1].slices and len(records[1].slices) == len(records[0].slices)
    undisturbed, killed = ([each.voxels for each in record.segments] for record in records)
    assert killed == undisturbed != [0]
