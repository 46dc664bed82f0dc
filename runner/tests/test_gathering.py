"""What is put together before it is seen, and what is hidden on the way."""

import random
import time

import pytest

from bottool import wire
from bottool_runner.gathering import HOLD_SECONDS, Gathering
from bottool_runner.masking import Mask

OUT, ERR = wire.Stream.STDOUT, wire.Stream.STDERR
SECRET = b"btl_attempt_0123456789-0123456789-0123456789-0123456789"


class Kept:
    """What was passed on, and when."""

    def __init__(self):
        self.pieces = []

    def __call__(self, stream, at, data):
        self.pieces.append((stream, at, data, time.monotonic()))

    def text(self, stream=OUT):
        return b"".join(data for kind, _, data, _ in self.pieces if kind is stream)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def gathering(kept):
    made = Gathering(kept, clock=time.time)
    yield made
    made.close()


def test_whole_lines_are_passed_on_at_once(gathering, kept):
    gathering.add(OUT, b"one\ntwo\n")

    assert kept.text() == b"one\ntwo\n"


def test_two_halves_of_a_line_become_one_piece(gathering, kept):
    gathering.add(OUT, b"the key is 0123")
    assert kept.pieces == []

    gathering.add(ERR, b"elsewhere\n")
    gathering.add(OUT, b"4567\nand")

    assert [data for _, _, data, _ in kept.pieces] == [b"elsewhere\n", b"the key is 01234567\n"]


def test_a_line_without_an_end_is_passed_on_after_a_moment(gathering, kept, until):
    began, began_at = time.monotonic(), time.time()
    gathering.add(OUT, b"Your name? ")

    until(lambda: kept.pieces, 5)

    _, at, data, passed_on = kept.pieces[0]
    assert data == b"Your name? "
    assert HOLD_SECONDS * 0.9 < passed_on - began < 1.0
    assert abs(at - began_at) < 0.1, "the time is that of the first letter"


def test_letters_one_by_one_become_few_pieces(gathering, kept, until):
    for _ in range(50):
        gathering.add(OUT, b".")
        time.sleep(0.01)

    until(lambda: kept.text() == b"." * 50, 5)

    assert len(kept.pieces) <= 5


def test_a_line_that_is_very_long_is_not_kept_in_memory(gathering, kept):
    for _ in range(40):
        gathering.add(OUT, b"x" * 65536)

    assert len(kept.text()) > 38 * 65536


def test_closing_passes_everything_on_once(gathering, kept):
    gathering.hide(SECRET)
    gathering.add(OUT, b"half " + SECRET[:30])
    gathering.add(ERR, b"rest")

    gathering.close()
    gathering.close()

    assert (kept.text(OUT), kept.text(ERR)) == (b"half " + SECRET[:30], b"rest")


@pytest.mark.parametrize("seed", range(20))
def test_all_bytes_of_both_streams_arrive_in_their_order(seed):
    draw, kept = random.Random(seed), Kept()
    gathering, written = Gathering(kept, clock=time.time), {OUT: b"", ERR: b""}

    for _ in range(200):
        stream = draw.choice([OUT, ERR])
        data = bytes(draw.choice(b"ab\n\r\x1b\xff") for _ in range(draw.randint(0, 9)))
        written[stream] += data
        gathering.add(stream, data)
        if draw.random() < 0.01:
            time.sleep(HOLD_SECONDS)
    gathering.close()

    assert {stream: kept.text(stream) for stream in written} == written


def test_a_secret_that_comes_with_a_long_pause_is_hidden(gathering, kept, until):
    gathering.hide(SECRET)

    gathering.add(OUT, b"token " + SECRET[:40])
    until(lambda: kept.text() == b"token ", 5)
    time.sleep(HOLD_SECONDS * 2)
    gathering.add(OUT, SECRET[40:] + b"\n")

    assert kept.text() == b"token " + b"*" * len(SECRET) + b"\n"


def test_what_may_begin_a_secret_but_tells_nothing_is_seen_after_a_moment(gathering, kept, until):
    gathering.hide(SECRET)

    gathering.add(OUT, b"job")
    until(lambda: kept.text() == b"job", 5)
    gathering.add(OUT, SECRET[1:] + b"\n")

    assert kept.text() == b"job" + b"*" * (len(SECRET) - 1) + b"\n", "its end is hidden all the same"


@pytest.mark.parametrize("seed", range(30))
def test_a_secret_is_masked_wherever_the_pieces_break(seed):
    draw = random.Random(seed)
    secret = b"aab" + bytes(draw.choice(b"ab") for _ in range(draw.randint(1, 6)))
    plain = b"".join(draw.choice([secret, b"a", b"b", b"aa", secret[:-1]]) for _ in range(40))
    mask, out, position = Mask(secret), b"", 0

    while position < len(plain):
        step = draw.randint(1, 7)
        out += mask.pass_on(plain[position : position + step])
        position += step
    out += mask.rest()

    assert len(out) == len(plain)
    assert out == plain.replace(secret, b"*" * len(secret))


def test_a_mask_holds_back_only_what_may_become_the_secret():
    mask = Mask(b"secret")

    assert mask.pass_on(b"hello\n") == b"hello\n"
    assert mask.pass_on(b"my sec") == b"my "
    assert mask.pass_on(b"ond") == b"second"
