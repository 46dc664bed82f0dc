import random
import threading

import pytest

from bottool import wire
from bottool_runner.output import PIECE_BYTES, Mask, Spool, Uploader

OUT, ERR, NOTE = wire.Stream.STDOUT, wire.Stream.STDERR, wire.Stream.NOTE


class Receiver:
    """The server's side of an upload."""

    def __init__(self):
        self.data = b""
        self.sizes = []

    def __call__(self, offset, data):
        self.sizes.append(len(data))
        if offset == len(self.data):
            assert wire.whole_frames(data) == len(data)
            self.data += data
        return len(self.data)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool"


def text(path, stream=OUT):
    return b"".join(frame.data for frame in wire.frames(path.read_bytes()) if frame.stream is stream)


def test_what_is_written_is_there_at_once_in_order_and_with_its_time(path):
    spool = Spool(path, 1_000_000, clock=lambda: 12.5)

    spool.write(1, b"one")
    spool.write(2, b"two\xff\x00")
    spool.note("note ☃")

    frames = list(wire.frames(path.read_bytes()))
    assert frames == [(OUT, 12.5, b"one"), (ERR, 12.5, b"two\xff\x00"), (NOTE, 12.5, "note ☃".encode())]
    spool.close()


def test_long_pieces_become_several_frames(path):
    spool = Spool(path, 1_000_000)

    spool.write(1, b"x" * 200_000)
    spool.close()

    assert [len(frame.data) for frame in wire.frames(path.read_bytes())] == [65536, 65536, 65536, 3392]


def test_frames_of_two_threads_never_mix(path):
    spool = Spool(path, 10_000_000)
    threads = [
        threading.Thread(target=lambda s=s: [spool.write(s, bytes([48 + s]) * 500) for _ in range(300)]) for s in (1, 2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.close()

    assert wire.whole_frames(path.read_bytes()) == path.stat().st_size
    assert text(path, OUT) == b"1" * 150_000
    assert text(path, ERR) == b"2" * 150_000


def test_the_limit_keeps_the_beginning_and_says_how_much_is_missing(path):
    spool = Spool(path, 20_000)

    for number in range(100):
        spool.write(1, str(number % 10).encode() * 1000)
    spool.close()

    kept = text(path)
    assert path.stat().st_size <= 20_000
    assert kept == b"".join(str(n % 10).encode() * 1000 for n in range(len(kept) // 1000))
    assert text(path, NOTE) == f"{100_000 - len(kept)} bytes of output were not kept: more than 20000 bytes".encode()
    assert spool.cut_bytes == 100_000 - len(kept)


def test_after_the_first_cut_nothing_smaller_slips_in(path):
    spool = Spool(path, 10_000)

    spool.write(1, b"x" * 8000)
    spool.write(1, b"y")
    spool.close()

    assert text(path) == b""
    assert b"8001 bytes" in text(path, NOTE)


def test_a_full_disk_loses_whole_frames_and_says_so(path):
    spool = Spool(path, 1_000_000)
    spool.write(1, b"kept")
    size = path.stat().st_size

    class Full:
        """A file on a disk with room for ten more bytes."""

        closed = False

        def __init__(self, file):
            self.fileno, self.truncate, self.file = file.fileno, file.truncate, file

        def write(self, data):
            self.file.write(data[:10])
            raise OSError(28, "No space left on device")

        def close(self):
            self.file.close()

    spool._file, file = Full(spool._file), spool._file
    spool.write(1, b"lost")
    assert path.stat().st_size == size, "no torn frame stays"
    spool._file = file
    spool.close()

    assert text(path) == b"kept"
    assert text(path, NOTE) == b"4 bytes of output were not kept: No space left on device"


def test_closing_twice_is_harmless(path):
    spool = Spool(path, 1_000_000)

    spool.close()
    spool.close()


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


def test_everything_arrives_once_and_only_whole_frames_are_sent(path):
    spool, receiver = Spool(path, 100_000_000), Receiver()
    uploader = Uploader(path, receiver)

    for number in range(60):
        spool.write(1, bytes([number]) * 50_000)
        if number % 7 == 0:
            assert uploader.send_all()
    spool.close()
    with path.open("ab") as file:
        file.write(b"\x01\0\0\0\0\0\xff\xff torn")
    assert uploader.send_all()

    assert receiver.data == path.read_bytes()[: len(receiver.data)]
    assert len(receiver.data) == path.stat().st_size - 13 == uploader.size_bytes()
    assert max(receiver.sizes) <= PIECE_BYTES


def test_nothing_is_sent_when_there_is_nothing(path):
    receiver = Receiver()

    assert Uploader(path, receiver).send_all()

    assert receiver.sizes == []


def test_an_upload_that_begins_anew_goes_on_where_the_server_is(path):
    spool, receiver = Spool(path, 10_000_000), Receiver()
    for _ in range(30):
        spool.write(1, b"x" * 60_000)
    spool.close()
    receiver.data = path.read_bytes()[: 20 * 60_016]

    assert Uploader(path, receiver).send_all()

    assert receiver.data == path.read_bytes()
    assert len(receiver.sizes) == 2


def test_a_server_that_asks_for_the_same_bytes_again_and_again_is_not_asked_for_ever(path):
    spool = Spool(path, 10_000)
    spool.write(1, b"x")
    spool.close()

    assert not Uploader(path, lambda offset, _data: offset).send_all()


def test_a_server_that_has_more_than_there_is_gets_nothing(path):
    spool = Spool(path, 10_000)
    spool.write(1, b"x")
    spool.close()

    assert Uploader(path, lambda _offset, _data: 1_000_000).send_all()


def test_a_server_that_asks_for_the_middle_of_a_frame_is_refused(path):
    spool = Spool(path, 10_000)
    spool.write(1, b"x" * 100)
    spool.close()

    with pytest.raises(ValueError, match="no frame starts"):
        Uploader(path, lambda _offset, _data: 7).send_all()
