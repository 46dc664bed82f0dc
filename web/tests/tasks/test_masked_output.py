"""What a bot has read from the vault is masked in what it prints and sends, across pieces, without moving a byte."""

import base64
import json
from urllib.parse import quote

import pytest

from bottool import wire
from bottool.errors import StaleAttempt, Unavailable
from bottool_web.actions import alerts, attempts, credentials, tasks
from bottool_web.actions.identity import principal_of_token
from bottool_web.actions.output import read_output

SECRET = "correct horse + battery/staple é"


def frame(text, stream=wire.Stream.STDOUT):
    return wire.pack_frame(wire.Frame(stream, 0.0, text if isinstance(text, bytes) else text.encode()))


@pytest.fixture
def running(site, admin, life, box, ask):
    """A running attempt's work, and the principal of its bot."""
    secrets = [wire.Secret(key="pass", value=SECRET)]
    credentials.create(site, admin, wire.NewCredential(label="bank", secrets=secrets))
    ask()
    work, permit = life.start(box)
    return work, principal_of_token(site, permit.token)


def printed(site, admin, task_id):
    return b"".join(each.data for each in wire.frames(read_output(site, admin, task_id)[0]))


def test_before_it_is_read_a_secret_is_a_text_like_any_other(site, admin, box, running):
    work, _ = running
    attempts.append_output(site, box, work.task_id, work.attempt, 0, frame(SECRET))

    assert printed(site, admin, work.task_id) == SECRET.encode()


def test_every_form_of_it_is_masked_in_output(site, admin, box, running):
    work, bot = running
    assert credentials.read_value(site, bot, "bank", "pass") == SECRET
    forms = [SECRET, quote(SECRET), json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode()]
    data = b"".join(frame(f"say {form}\n") for form in forms)

    attempts.append_output(site, box, work.task_id, work.attempt, 0, data)

    shown = printed(site, admin, work.task_id)
    assert len(shown) == sum(len(f"say {form}\n".encode()) for form in forms)
    assert shown.count(b"say *") == 4
    for form in forms[:3]:
        assert form.encode() not in shown
    assert SECRET.encode() not in base64.b64decode(shown.split()[-1].replace(b"*", b"A") + b"==")


def test_a_secret_in_two_frames_and_in_two_pieces_is_masked(site, admin, box, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")
    half = SECRET.encode()[:10], SECRET.encode()[10:]
    first = frame(half[0]) + frame("error\n", wire.Stream.STDERR) + frame(half[1] + b"\n") + frame(half[0])

    sent = attempts.append_output(site, box, work.task_id, work.attempt, 0, first)
    attempts.append_output(site, box, work.task_id, work.attempt, sent.next_offset, frame(half[1] + b"!"))

    frames = [each.data for each in wire.frames(read_output(site, admin, work.task_id)[0])]
    assert frames[:3] == [b"*" * 10, b"error\n", b"*" * len(half[1]) + b"\n"]
    # What was kept before its end came stays; its end is masked.
    assert frames[3:] == [half[0], b"*" * len(half[1]) + b"!"]


def test_of_a_secret_in_many_pieces_the_last_is_masked_whatever_comes_between(site, admin, box, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")
    data = SECRET.encode()
    pieces = [frame(data[:8]), frame("between\n", wire.Stream.STDERR), frame(data[8:16]), frame(data[16:] + b"!")]
    at = 0

    for piece in pieces:
        at = attempts.append_output(site, box, work.task_id, work.attempt, at, piece).next_offset

    assert printed(site, admin, work.task_id).endswith(b"*" * (len(data) - 16) + b"!")


def test_a_bot_whose_attempt_has_ended_reads_nothing(site, admin, life, box, running):
    work, bot = running
    life.end(box, work)

    with pytest.raises(StaleAttempt):
        credentials.read_value(site, bot, "bank", "pass")


def test_without_the_vaults_key_output_waits_instead_of_going_unmasked(site, box, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")
    (site.settings.data / "vault.key").unlink()

    with pytest.raises(Unavailable):
        attempts.append_output(site, box, work.task_id, work.attempt, 0, frame(SECRET))


def test_what_a_bot_sends_is_masked_too(site, admin, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")

    new = wire.NewAlert(task_id=work.task_id, title=f"is {SECRET}", message=quote(SECRET), type="warn")
    made = alerts.create_alert(site, bot, new)
    tasks.finish(site, bot, work.task_id, wire.Finish(status="failed", message=f"no: {SECRET}"))

    told = f"{made.title} {made.message} {tasks.get_task(site, admin, work.task_id).message}"
    assert SECRET not in told
    assert quote(SECRET) not in told
    assert "is ***" in told


def test_a_value_that_was_changed_later_is_still_known_to_who_read_it(site, admin, box, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")
    credentials.set_value(site, admin, "bank", "pass", wire.SecretValue(value="another one"))

    attempts.append_output(site, box, work.task_id, work.attempt, 0, frame(f"{SECRET} another one"))

    assert printed(site, admin, work.task_id) == b"*" * len(SECRET.encode()) + b" another one"


def test_what_a_bot_puts_in_itself_is_masked_too(site, admin, running):
    _, bot = running
    new = wire.NewCredential(label="own", secrets=[wire.Secret(key="token", value="made by the bot 42")])

    credentials.create(site, bot, new)
    made = alerts.create_alert(
        site, bot, wire.NewAlert(task_id=bot.task_id, title="t", message="it is made by the bot 42")
    )

    assert "made by the bot" not in made.message


def test_how_an_attempt_ended_is_told_without_what_it_knew(site, admin, life, box, running):
    work, bot = running
    credentials.read_value(site, bot, "bank", "pass")

    life.end(box, work, exit_code=1, message=f"ended with {SECRET}", left_behind=[f"chrome --token={SECRET}"])

    seen = str(tasks.get_task(site, admin, work.task_id)) + str(tasks.list_events(site, admin, work.task_id))
    assert SECRET not in seen
    assert "chrome --token=*" in seen
