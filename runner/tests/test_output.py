import random
import threading

import pytest

from bottool import wire
from bottool_runner.output import PIECE_BYTES, Spool, Uploader

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

    spool.write(1, b"one\n")
    spool.write(2, b"two\xff\x00\n")
    spool.note("note ☃")

    frames = list(wire.frames(path.read_bytes()))
    assert frames == [(OUT, 12.5, b"one\n"), (ERR, 12.5, b"two\xff\x00\n"), (NOTE, 12.5, "note ☃".encode())]
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


def test_the_limit_keeps_the_beginning_and_the_end_and_says_how_much_is_missing_between(path):
    spool, lines = Spool(path, 20_000), [f"{number:04}{'x' * 995}\n".encode() for number in range(100)]

    for line in lines:
        spool.write(1, line)
    spool.close()

    frames = list(wire.frames(path.read_bytes()))
    streams = [frame.stream for frame in frames]
    first_note = streams.index(NOTE)
    head, tail = frames[:first_note], frames[first_note + 2 :]
    kept = len(head) + len(tail)
    assert path.stat().st_size <= 20_000
    assert [frame.data for frame in head] == lines[: len(head)]
    assert [frame.data for frame in tail] == lines[-len(tail) :]
    assert (len(head), len(tail)) == (10, 4)
    assert [frame.data for frame in frames[first_note : first_note + 2]] == [
        b"more than 20 kB of output: from here on only its end is kept",
        f"{1000 * (100 - kept)} bytes of output were not kept: more than 20 kB".encode(),
    ]
    assert spool.cut_bytes == 1000 * (100 - kept)


def test_what_has_room_in_the_end_is_kept_whole(path):
    spool = Spool(path, 20_000)

    for _ in range(13):
        spool.write(1, b"x" * 999 + b"\n")
    spool.close()

    assert text(path) == (b"x" * 999 + b"\n") * 13
    assert spool.cut_bytes == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_byte_is_kept_or_counted(path, seed):
    draw = random.Random(seed)
    limit_bytes = draw.choice([12_000, 50_000, 400_000])
    spool, written = Spool(path, limit_bytes), {OUT: b"", ERR: b""}

    for _ in range(300):
        stream, data = draw.choice([OUT, ERR]), draw.randbytes(draw.choice([1, 10, 1000, 5000, 70_000]))
        written[stream] += data
        spool.write(stream, data)
    spool.close()

    kept = {stream: text(path, stream) for stream in written}
    assert sum(map(len, kept.values())) + spool.cut_bytes == sum(map(len, written.values()))
    assert path.stat().st_size <= limit_bytes
    for stream, data in kept.items():
        assert any(
            written[stream].startswith(data[:n]) and written[stream].endswith(data[n:]) for n in range(len(data) + 1)
        )


@pytest.mark.parametrize("has_room_again", [True, False])
def test_a_full_disk_loses_whole_frames_only(path, has_room_again):
    spool = Spool(path, 1_000_000)
    spool.write(1, b"kept\n")
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
    spool.write(1, b"waits\n")
    assert path.stat().st_size == size, "no torn frame stays"
    if has_room_again:
        spool._file = file
    spool.close()

    assert text(path) == b"kept\n" + (b"waits\n" if has_room_again else b"")
    assert spool.cut_bytes == (0 if has_room_again else 6)


def test_on_a_full_disk_the_end_is_kept_until_there_is_room(path):
    spool, file = Spool(path, 1_000_000), None

    class Full:
        closed = False

        def __init__(self, file):
            self.fileno, self.truncate = file.fileno, file.truncate

        def write(self, _data):
            raise OSError(28, "No space left on device")

    spool._file, file = Full(spool._file), spool._file
    for number in range(3000):
        spool.write(1, f"{number:05}{'x' * 994}\n".encode())
    spool._file = file
    spool.close()

    kept = text(path)
    assert kept.endswith(b"02999" + b"x" * 994 + b"\n")
    assert 240_000 < len(kept) <= 250_000
    assert (
        text(path, NOTE) == f"{3_000_000 - len(kept)} bytes of output were not kept: No space left on device".encode()
    )


def test_closing_twice_is_harmless(path):
    spool = Spool(path, 1_000_000)

    spool.close()
    spool.close()


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
