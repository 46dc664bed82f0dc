"""What goes over the wire: frames of output, and messages that older and newer sides understand."""

from datetime import UTC, datetime

import msgspec
import pytest

from bottool import wire
from bottool.wire import FRAME_HEAD_BYTES, FRAME_MAX_BYTES, Frame, Stream, frames, pack_frame, whole_frames

FRAMES = [
    Frame(Stream.STDOUT, 1700000000.25, "ação\n".encode()),
    Frame(Stream.STDERR, 1700000000.5, b""),
    Frame(Stream.NOTE, 0.0, b"\x00\xff" * 100),
    Frame(Stream.STDOUT, 2.0, b"x" * FRAME_MAX_BYTES),
]
SPOOL = b"".join(pack_frame(frame) for frame in FRAMES)


def test_frames_come_out_as_they_went_in():
    assert list(frames(SPOOL)) == FRAMES
    assert whole_frames(SPOOL) == len(SPOOL)


def test_the_head_of_a_frame_has_a_fixed_layout():
    packed = pack_frame(Frame(Stream.STDERR, 1.5, b"hi"))

    assert FRAME_HEAD_BYTES == 16
    assert packed == b"\x02\0\0\0" + b"\0\0\0\x02" + b"\x3f\xf8\0\0\0\0\0\0" + b"hi"


def test_a_frame_that_is_still_being_written_is_left_for_the_next_time():
    spool = SPOOL[: -FRAME_MAX_BYTES + 10]
    ends = [0]
    for frame in FRAMES[:3]:
        ends.append(ends[-1] + FRAME_HEAD_BYTES + len(frame.data))

    for length in range(ends[3] + 1):
        assert whole_frames(spool[:length]) == max(end for end in ends if end <= length)
    assert list(frames(spool)) == FRAMES[:3]


def test_an_empty_spool_holds_no_frame():
    assert list(frames(b"")) == []
    assert whole_frames(b"") == 0


def test_a_frame_holds_no_more_than_its_limit():
    with pytest.raises(ValueError, match="at most 65536 bytes, got 65537"):
        pack_frame(Frame(Stream.STDOUT, 0.0, b"x" * (FRAME_MAX_BYTES + 1)))


@pytest.mark.parametrize(
    "head",
    [b"\x00\0\0\0\0\0\0\x01", b"\x04\0\0\0\0\0\0\x01", b"\x01\0\0\0\0\x01\0\x01", b"\x01\0\0\0\xff\xff\xff\xff"],
    ids=["stream 0", "stream 4", "too long", "far too long"],
)
def test_what_is_no_head_is_refused_with_its_place(head):
    first = pack_frame(FRAMES[0])

    with pytest.raises(ValueError, match=f"no frame starts at byte {len(first)}"):
        list(frames(first + head + bytes(20)))


def test_a_message_from_a_newer_side_is_understood():
    raw = b'{"lease_seconds": 60, "verdicts": [], "from_the_future": {"a": 1}}'

    assert msgspec.json.decode(raw, type=wire.Synced) == wire.Synced(lease_seconds=60.0)


def test_a_message_from_an_older_side_gets_the_defaults():
    work = msgspec.json.decode(
        b'{"task_id":1,"attempt":1,"claim_key":"k","automation":"a","bot_id":"b","version":"1","technology":"PYTHON",'
        b'"file_name":"b.zip","sha256":"0","size_bytes":1}',
        type=wire.Work,
    )

    assert (work.timeout_seconds, work.grace_seconds, work.command) == (None, 10.0, "")


def test_what_is_absent_from_a_change_is_not_the_same_as_none():
    change = msgspec.json.decode(b'{"timeout_seconds": null}', type=wire.AutomationChange)

    assert change.timeout_seconds is None
    assert change.name is msgspec.UNSET
    assert msgspec.json.encode(change) == b'{"timeout_seconds":null}'


def test_times_go_over_the_wire_with_their_zone():
    said = wire.LoggedIn(token="t", workspace="w", expires_at=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))

    raw = msgspec.json.encode(said)

    assert b'"2030-01-02T03:04:05Z"' in raw
    assert msgspec.json.decode(raw, type=wire.LoggedIn) == said


def test_parameters_keep_their_types_and_accents():
    new = wire.NewTask(automation="a", parameters={"n": 1, "x": 1.5, "yes": True, "list": [None, "ação"]})

    assert msgspec.json.decode(msgspec.json.encode(new), type=wire.NewTask) == new


def test_a_field_of_the_wrong_type_is_refused_by_its_name():
    with pytest.raises(msgspec.ValidationError, match=r"\$\.parameters"):
        msgspec.json.decode(b'{"automation": "a", "parameters": []}', type=wire.NewTask)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("", ""),
        ("all items done", "all items done"),
        ("was ended by SIGKILL\n{\n  'id': 1\n}", "was ended by SIGKILL"),
        ("ended with exit status 1\nthe invoice has no number\n", "the invoice has no number"),
        ("ended with exit status 1\nTraceback …\nKeyError: 'invoice'", "KeyError: 'invoice'"),
        (
            "exit 1\nbrowser.LaunchError: no such file\n  at app.js:16\n\nNode.js v20",
            "browser.LaunchError: no such file",
        ),
    ],
)
def test_a_task_tells_its_cause_in_one_line(message: str, cause: str) -> None:
    now = datetime.now(UTC)
    task = wire.Task(
        id=1,
        automation="a",
        automation_name="A",
        repository="DEFAULT",
        state="failed",
        priority=0,
        created_at=now,
        changed_at=now,
        message=message,
    )

    assert task.cause == cause
