"""Secrets become stars in every form in which bots let them slip, and nothing else changes."""

import base64
import html
import json
import random
import shlex
import string
import textwrap
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bottool_web.masked_forms import SHORTEST, is_masked
from bottool_web.masking import Masker

SECRET = 'p@ss/wörd+1 "x" <&>'
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=SHORTEST, max_size=60
)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%C3%B6", "%c3%b6").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        json.dumps(SECRET)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        repr(SECRET)[1:-1],
        repr(SECRET.encode())[2:-1],
        SECRET.replace('"', '\\"'),
        html.escape(SECRET),
        html.escape(SECRET).replace("&quot;", "&#34;"),
        quote(SECRET, safe="!*'()"),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        "\n".join(textwrap.wrap(SECRET.encode().hex(), 16)),
        "\n".join(textwrap.wrap(quote(SECRET, safe=""), 7)),
        "\r\n   ".join(textwrap.wrap(quote(SECRET, safe=""), 11)),
    ],
)
def test_a_secret_is_found_in_this_form(form: str) -> None:
    said = f"before {form} after"

    masked = Masker([SECRET]).data(said.encode())

    assert masked.startswith(b"before *")
    assert masked.endswith(b"* after")
    assert len(masked) == len(said.encode())
    assert masked.count(b"\n") == said.count("\n")
    assert set(masked[7:-6]) <= set(b"*\r\n")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "z", "yz"])
def test_base64_is_found_at_every_place_in_what_was_encoded(before: str, after: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET}{after}".encode())

    for form in (encoded, base64.urlsafe_b64encode(f"{before}{SECRET}{after}".encode())):
        masked = Masker([SECRET]).data(b"Basic " + form)

        shown = masked.removeprefix(b"Basic ").replace(b"*", b"A").replace(b"-", b"+").replace(b"_", b"/")
        assert SECRET.encode()[1:-1] not in base64.b64decode(shown)
        assert masked.count(b"*") >= len(SECRET.encode()) * 8 // 6 - 2


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
@example("aaaa", "a", "a")
@example("\\u0041x", "\\", "\\")
def test_no_secret_survives_between_any_texts(secret: str, before: str, after: str) -> None:
    if not is_masked(secret):
        return
    said = f"{before}{secret}{after}".encode("utf-8", "surrogatepass")

    masked = Masker([secret]).data(said)

    assert len(masked) == len(said)
    assert secret.strip().encode() not in masked or secret.strip() == "*" * len(secret.strip())


@given(st.lists(SECRETS, min_size=1, max_size=4), st.lists(st.integers(0, 3), max_size=8), st.data())
def test_many_secrets_in_any_order_and_broken_anywhere_are_masked(
    secrets: list[str], order: list[int], data: st.DataObject
) -> None:
    known = [secret for secret in secrets if is_masked(secret) and len(secret.encode()) == len(secret)]
    if not known:
        return
    said = "|".join(known[each % len(known)] for each in order).encode()
    at = data.draw(st.integers(0, len(said)))
    broken = said[:at] + b"\n" + said[at:]

    masked = Masker(known).data(broken)

    assert len(masked) == len(broken)
    assert set(masked) <= set(b"*|\n")


@given(st.binary(max_size=300))
def test_without_a_secret_nothing_changes(data: bytes) -> None:
    masker = Masker(["a secret that is not there"])

    assert masker.data(data) == data
    assert Masker([]).data(data) == data


@pytest.mark.parametrize("kind", ["utf-16-le", "utf-16-be"])
def test_wide_signs_are_found(kind: str) -> None:
    masked = Masker([SECRET]).data(f"a{SECRET}b".encode(kind))

    assert masked.replace(b"\0", b"").startswith(b"a*")
    assert masked.replace(b"\0", b"").endswith(b"*b")
    assert masked.count(b"*") >= 2 * len(SECRET)


def test_quotes_are_found_as_shells_write_them() -> None:
    secret = 'it\'s a "secret" of $5'

    for form in (shlex.quote(secret), secret.replace("'", "'\\''"), secret.replace('"', '\\"').replace("$", "\\$")):
        assert Masker([secret]).text(f"echo {form}").removeprefix("echo ").strip("'*") == ""


def test_words_that_are_wrapped_are_found_without_the_space_that_went() -> None:
    masked = Masker(["correct horse battery staple"]).text("> correct horse\n    battery\r\n\tstaple <")

    assert masked == "> *************\n***********\r\n******* <"


def test_a_short_secret_is_not_seen_across_words() -> None:
    assert Masker(["1000"]).text("10 00 and 1000, at estimation") == "10 00 and ****, at estimation"
    assert Masker(["1000"]).text("10\r\n00") == "**\r\n**"


@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode(), quote])
def test_a_long_secret_is_masked_to_its_end(encode: Callable[[str], str]) -> None:
    secret = "".join(random.Random(7).choices(string.ascii_letters + string.digits + "+/é", k=20_000))
    written = "\n".join(textwrap.wrap(encode(secret), 76))

    masked = Masker([secret]).text(f"[{written}]")

    # The last sign of base64 may hold bits of what follows.
    assert set(masked[1:-5]) <= set("*\n")


def test_what_repeats_itself_is_masked_in_time() -> None:
    masker = Masker(["a" * 20_000, "aaaa"])
    began = time.process_time()

    for data in (b"a" * 200_000, b"a\n" * 100_000, b"a " * 100_000):
        assert len(masker.data(data)) == len(data)

    assert time.process_time() - began < 10


def test_every_line_of_a_private_key_is_one() -> None:
    lines = ["-----BEGIN KEY-----", *(f"line{number}" * 6 for number in range(4)), "-----END KEY-----"]

    masked = Masker(["\n".join(lines)]).text(f"first: {lines[2]}\nwhole:\n" + "\r\n".join(lines))

    assert "line" not in masked
    assert masked.count("\n") == 7


def test_what_is_too_short_is_left_alone_and_said() -> None:
    assert Masker(["abc"]).text("abc abc") == "abc abc"
    assert not is_masked("abc")
    assert not is_masked("   \n")
    assert is_masked("abcd")


def test_values_are_masked_in_objects_and_lists_and_names() -> None:
    masked = Masker([SECRET]).value({SECRET: [1, None, {"a": f"x{SECRET}"}], "b": True})

    assert SECRET not in json.dumps(masked, ensure_ascii=False)
    assert list(masked.values())[1] is True


def test_of_several_secrets_the_longest_is_masked_whole() -> None:
    assert Masker(["pass", "password-1"]).text("password-1 pass") == "********** ****"


def test_a_large_output_takes_time_in_proportion() -> None:
    masker = Masker([SECRET, *(f"another secret {number}" for number in range(20))])
    took = []
    for size in (200_000, 800_000):
        data = (b"a line of output that is not secret at all, p@ss/\n" * (size // 50 + 1))[:size]
        began = time.process_time()
        masker.data(data)
        took.append(time.process_time() - began)

    assert took[1] < 12 * took[0] + 0.5, took
