import queue
import threading

import pytest

from bottool import wire
from bottool.errors import Unavailable, Unreachable
from bottool_runner.backoff import Backoff
from bottool_runner.sync import HeldCall

WORK = wire.Work(task_id=1, attempt=1, claim_key="k", automation="a", bot_id="b", version="1", technology="COMMAND",
                 file_name="b.zip", sha256="0", size_bytes=1)  # fmt: skip


class Rig:
    """A held call whose clock and whose server's answers are in the test's hands."""

    def __init__(self):
        self.now = 100.0
        self.answers = queue.SimpleQueue()
        self.replies = {}
        self.sent = []
        self.key = "key"
        self.call = HeldCall(
            send=self._send, deliver=self.answers.put, clock=lambda: self.now, backoff=Backoff(lambda _low, high: high)
        )

    def _send(self, said):
        reply = queue.SimpleQueue()
        self.replies[len(self.sent)] = reply
        self.sent.append(said)
        answer = reply.get(timeout=10)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tick(self):
        return self.call.tick(lambda: wire.Sync(session_id="s", installation_id="i", claim_key=self.key))

    def reply(self, number, answer):
        self.replies[number].put(answer)
        return self.call.take(self.answers.get(timeout=10))


@pytest.fixture
def rig(until):
    rig = Rig()
    rig.until_sent = lambda count: until(lambda: len(rig.replies) == count)
    yield rig
    for reply in rig.replies.values():
        reply.put(Unavailable("the test is over"))
    until(lambda: not any(thread.name.startswith("sync ") for thread in threading.enumerate()))


def test_one_call_is_under_way_at_a_time(rig):
    assert rig.tick() is None
    assert rig.tick() is None
    rig.until_sent(1)

    assert len(rig.sent) == 1


def test_a_lease_counts_from_the_moment_of_sending(rig):
    rig.tick()
    rig.until_sent(1)
    rig.now += 8

    assert rig.reply(0, wire.Synced(lease_seconds=60.0)) is not None

    assert rig.call.lease_until == 160.0
    rig.now = 159.9
    assert rig.call.leases_hold
    rig.now = 160.0
    assert not rig.call.leases_hold


def test_after_work_the_next_call_follows_at_once(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, wire.Synced(lease_seconds=60.0, work=[WORK]))

    assert rig.tick() is None
    rig.until_sent(2)


def test_an_answer_that_comes_at_once_without_work_does_not_make_a_storm(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, wire.Synced(lease_seconds=60.0))

    assert rig.tick() == pytest.approx(0.25)
    rig.now += 0.25
    assert rig.tick() is None
    rig.until_sent(2)


def test_failures_are_repeated_ever_more_slowly_up_to_half_a_minute(rig):
    pauses = []
    for number in range(8):
        assert rig.tick() is None
        rig.until_sent(number + 1)
        assert rig.reply(number, Unreachable("nothing answers")) is None
        pauses.append(rig.tick())
        rig.now += pauses[-1]

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_success_ends_the_row_of_failures(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, Unreachable("nothing answers"))
    rig.now += 1
    rig.tick()
    rig.until_sent(2)
    rig.reply(1, wire.Synced(lease_seconds=1))
    rig.now += 1
    rig.tick()
    rig.until_sent(3)
    rig.reply(2, Unreachable("nothing answers"))

    assert rig.tick() == 1


def test_the_servers_wish_for_rest_is_honoured(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, Unavailable("later", retry_after_seconds=17))

    assert rig.tick() == 17


def test_a_pause_is_drawn_at_random_from_its_whole_range():
    bounds = []
    backoff = Backoff(lambda low, high: bounds.append((low, high)) or 0.0)

    assert [backoff.next_seconds() for _ in range(3)] == [0.0] * 3
    assert bounds == [(0, 1), (0, 2), (0, 4)]


def test_a_wish_that_is_no_number_is_no_wish():
    assert Backoff(lambda _low, high: high).next_seconds(Unavailable("later", retry_after_seconds="soon")) == 1


def test_a_call_that_asks_for_no_work_is_overtaken_when_a_slot_is_free(rig):
    rig.key = ""
    rig.tick()
    rig.until_sent(1)
    assert rig.tick() is None

    rig.key = "key"
    rig.tick()
    rig.until_sent(2)

    assert [said.claim_key for said in rig.sent] == ["", "key"]
    verdict = wire.Verdict(task_id=1, attempt=1, verdict="stop")
    assert rig.reply(0, wire.Synced(lease_seconds=60, verdicts=[verdict])).verdicts == [verdict], "its answer counts"
    assert rig.tick() is None
    assert len(rig.sent) == 2


def test_the_failure_of_an_overtaken_call_slows_nothing(rig):
    rig.key = ""
    rig.tick()
    rig.until_sent(1)
    rig.key = "key"
    rig.tick()
    rig.until_sent(2)
    rig.reply(0, Unreachable("cut"))
    rig.reply(1, wire.Synced(lease_seconds=60, work=[WORK]))

    assert rig.tick() is None
    rig.until_sent(3)


def test_two_calls_with_a_claim_key_are_never_under_way_at_once(rig):
    rig.tick()
    rig.until_sent(1)
    rig.key = "another"

    assert rig.tick() is None
    assert len(rig.sent) == 1


def test_room_is_a_reason_to_ask_at_once_whatever_the_last_answer_was(rig):
    rig.key = ""
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, wire.Synced(lease_seconds=60.0))
    rig.key = "key"
    rig.call.room_made()

    assert rig.tick() is None
    rig.until_sent(2)


def test_room_does_not_cut_the_pause_after_a_failure_short(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, Unreachable("nothing answers"))
    rig.call.room_made()

    assert rig.tick() == 1


def test_a_runner_that_has_just_filled_up_says_so_a_moment_later(rig):
    rig.tick()
    rig.until_sent(1)
    rig.reply(0, wire.Synced(lease_seconds=60.0, work=[WORK]))
    rig.key = ""

    assert rig.tick() == pytest.approx(0.25)
    rig.now += 0.25
    assert rig.tick() is None
    rig.until_sent(2)


def test_the_late_answer_of_an_overtaken_call_slows_nothing(rig):
    rig.key = ""
    rig.tick()
    rig.until_sent(1)
    rig.key = "key"
    rig.tick()
    rig.until_sent(2)
    rig.reply(1, wire.Synced(lease_seconds=60, work=[WORK]))
    rig.reply(0, wire.Synced(lease_seconds=60))

    assert rig.tick() is None
    rig.until_sent(3)
