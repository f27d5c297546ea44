import threading

from patience import SECONDS
from SAMUNetSlicerLib.engine.serving import Job, JobQueue, Priority


def _tickets(jobs):
    return [job.ticket for job in jobs]


def test_a_click_overtakes_waiting_prefetches_and_equals_keep_their_order():
    queue = JobQueue()
    for ticket, priority in enumerate([Priority.PREFETCH, Priority.CLICK, Priority.PREFETCH, Priority.CLICK]):
        queue.put(Job(ticket, "encode", priority))
    assert [_tickets(queue.take())[0] for _ in range(4)] == [1, 3, 0, 2]


def test_a_cancelled_job_never_comes_out_and_is_cancelled_once():
    queue = JobQueue()
    for ticket in range(3):
        queue.put(Job(ticket, "encode"))
    assert queue.cancel(1) and not queue.cancel(1)
    assert [_tickets(queue.take())[0] for _ in range(2)] == [0, 2]
    assert len(queue) == 0


def test_a_job_that_was_taken_cannot_be_cancelled():
    queue = JobQueue()
    queue.put(Job(1, "encode"))
    queue.take()
    assert not queue.cancel(1)


def test_only_jobs_of_one_kind_are_taken_together():
    queue = JobQueue()
    queue.put(Job(1, "encode", Priority.PREFETCH))
    queue.put(Job(2, "encode", Priority.PREFETCH))
    queue.put(Job(3, "other", Priority.PREFETCH))
    queue.put(Job(4, "encode", Priority.PREFETCH))
    queue.cancel(2)
    assert _tickets(queue.take(lambda job: 8)) == [1]
    assert _tickets(queue.take(lambda job: 8)) == [3]


def test_a_batch_is_not_larger_than_asked_for():
    queue = JobQueue()
    for ticket in range(5):
        queue.put(Job(ticket, "encode", Priority.PREFETCH))
    assert _tickets(queue.take(lambda job: 3)) == [0, 1, 2]
    assert _tickets(queue.take(lambda job: 3)) == [3, 4]


def test_closing_wakes_the_thread_that_waits_for_work():
    queue, taken = JobQueue(), []
    waiter = threading.Thread(target=lambda: taken.append(queue.take()))
    waiter.start()
    queue.close()
    waiter.join(SECONDS)
    assert taken == [[]]
