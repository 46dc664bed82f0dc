"""A bot's output on its way to the server and back: nothing twice, nothing missing, whatever the network repeats."""

import random
import threading
from dataclasses import replace

import pytest

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound, StaleAttempt, TooBig
from bottool_web.actions import attempts
from bottool_web.actions.output import bytes_before, read_output


def frames(*texts: str, stream: wire.Stream = wire.Stream.STDOUT) -> bytes:
    return b"".join(wire.pack_frame(wire.Frame(stream, 0.0, text.encode())) for text in texts)


@pytest.fixture
def send(site, life, box, ask):
    """``send(offset, data)`` for a running attempt; ``send.work`` is its work."""
    ask()
    work, _ = life.start(box)

    def send_(offset: int, data: bytes) -> int:
        return attempts.append_output(site, box, work.task_id, work.attempt, offset, data).next_offset

    send_.work = work
    return send_


def test_what_is_sent_is_read_back_from_any_frame_on(site, admin, life, box, send):
    first, second = frames("one\n", "two\n"), frames("three\n")

    assert send(0, first) == len(first)
    assert send(len(first), second) == len(first + second)

    task_id = send.work.task_id
    assert read_output(site, admin, task_id) == (first + second, len(first + second), False)
    assert read_output(site, admin, task_id, after=len(first)) == (second, len(first + second), False)
    assert read_output(site, admin, task_id, after=len(frames("one\n"))) == (
        frames("two\n") + second,
        len(first + second),
        False,
    )
    life.end(box, send.work)
    assert read_output(site, admin, task_id, after=len(first + second)) == (b"", len(first + second), True)


def test_a_repeated_piece_is_taken_once_and_a_longer_one_from_where_it_goes_on(site, admin, send):
    one, two = frames("one\n"), frames("two\n")
    send(0, one)

    assert send(0, one) == len(one)
    assert send(0, one + two) == len(one + two)
    assert read_output(site, admin, send.work.task_id)[0] == one + two


def test_a_gap_is_refused_and_says_from_where_to_send(site, send):
    send(0, frames("one\n"))

    with pytest.raises(Conflict) as caught:
        send(500, frames("far away\n"))

    assert caught.value.details["next_offset"] == len(frames("one\n"))


def test_half_a_frame_at_the_end_is_left_for_the_next_time(site, admin, send):
    one, two = frames("one\n"), frames("two\n")

    assert send(0, one + two[:-1]) == len(one)
    with pytest.raises(InvalidInput, match="whole frame"):
        send(len(one), two[:5])
    with pytest.raises(InvalidInput, match="no frame starts"):
        send(len(one), b"this is no frame at all, it is only text")
    assert send(len(one), two) == len(one + two)
    assert read_output(site, admin, send.work.task_id)[0] == one + two


def test_output_after_the_report_still_arrives_but_not_after_a_replacement(site, admin, life, box, ask, send):
    one = frames("one\n")
    life.end(box, send.work)

    assert send(0, one) == len(one)
    other = ask()
    life.take(box, "k2")
    attempts.hand_back(site, box, other.id, 1, wire.HandBack(reason="no"))
    with pytest.raises(StaleAttempt):
        attempts.append_output(site, box, other.id, 1, 0, one)


def test_reading_goes_in_pieces_of_about_the_limit(site, admin, send):
    pieces = [frames("x" * 1000 + str(number)) for number in range(20)]
    offset = 0
    for piece in pieces:
        offset = send(offset, piece)

    read, after = b"", 0
    for _ in range(100):
        data, after, _ = read_output(site, admin, send.work.task_id, after=after, limit_bytes=3000)
        if not data:
            break
        assert len(data) <= 3000
        read += data

    assert read == b"".join(pieces)


def test_a_place_that_is_no_frames_head_is_refused(site, admin, send):
    send(0, frames("hello, hello, hello, hello"))

    with pytest.raises(InvalidInput, match="after"):
        read_output(site, admin, send.work.task_id, after=3)


def test_an_attempt_can_be_asked_for_and_one_that_is_not_there_is_refused(site, admin, ask, life, box, send):
    send(0, frames("first try\n"))
    waiting = ask()

    assert read_output(site, admin, send.work.task_id, attempt=1)[0] == frames("first try\n")
    assert read_output(site, admin, waiting.id) == (b"", 0, False)
    with pytest.raises(NotFound, match="no attempt 7"):
        read_output(site, admin, send.work.task_id, attempt=7)


def test_what_lies_before_a_place_can_be_looked_at(site, admin, send):
    one, two = frames("one\n"), frames("two\n")
    send(0, one + two)

    assert bytes_before(site, admin, send.work.task_id, 1, len(one)) == one
    assert bytes_before(site, admin, send.work.task_id, 1, 0) == b""


def test_pieces_from_many_threads_at_once_make_one_output(site, admin, send):
    spool = frames(*(f"line {number} {'y' * (number % 50)}\n" for number in range(60)))
    heads = [0]
    for frame in wire.frames(spool):
        heads.append(heads[-1] + wire.FRAME_HEAD_BYTES + len(frame.data))

    def push(seed: int) -> None:
        draw, offset = random.Random(seed), 0
        while offset < len(spool):
            here = heads.index(offset)
            end = heads[min(here + draw.randint(1, 9), len(heads) - 1)]
            try:
                offset = send(offset, spool[offset:end])
            except Conflict as error:
                offset = error.details["next_offset"]

    threads = [threading.Thread(target=push, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read_output(site, admin, send.work.task_id, limit_bytes=10**7)[0] == spool


def test_a_bot_that_prints_without_end_fills_no_disk_and_its_task_ends_as_any_other(site, admin, life, box, send):
    one, two = frames("one\n"), frames("two\n")
    small = replace(site, settings=replace(site.settings, output_limit_bytes=len(one + two)))
    task_id, number = send.work.task_id, send.work.attempt

    assert attempts.append_output(small, box, task_id, number, 0, one).next_offset == len(one)
    with pytest.raises(TooBig) as caught:
        attempts.append_output(small, box, task_id, number, len(one), two + one)

    assert (caught.value.http_status, "output_limit_bytes" in caught.value.hint) == (413, True)
    assert attempts.append_output(small, box, task_id, number, 0, one + two).next_offset == len(one + two)
    life.end(box, send.work, output_bytes=10 * len(one))
    assert read_output(site, admin, task_id) == (one + two, len(one + two), True)
