"""Sizes and durations as people write them, such as ``500 MB`` and ``10 min``: read, and written without loss."""

import re

from bottool.errors import InvalidInput

SIZES = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30, "TB": 10**12}
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_OTHER_NAMES = {"k": "kb", "m": "mb", "g": "gb", "t": "tb", "": "b", "ki": "kib", "mi": "mib", "gi": "gib"}
_OTHER_TIMES = {"m": "min", "": "s", "sec": "s", "second": "s", "minute": "min", "hour": "h", "day": "d"}
_PLURAL = re.compile(r"(?<=[a-z]{3})s\s*$")
_WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


def size_bytes(text: str) -> int:
    """``500MB``, ``1.5 GiB``, ``2g``, ``1000`` (bytes). Thousands, unless an ``i`` says 1024.

    :raises InvalidInput: when it is none.
    """
    units = {name.lower(): factor for name, factor in SIZES.items()}
    found = _amount(text, units, _OTHER_NAMES)
    if found is None:
        raise InvalidInput(f"'{text}' is no size", "write a number with a unit, such as 500MB or 2GiB")
    return found


def duration_seconds(text: str) -> int:
    """``90``, ``90s``, ``10m``, ``10 min``, ``1.5h``, ``2d``.

    :raises InvalidInput: when it is none.
    """
    found = _amount(_PLURAL.sub("", text.lower()), SECONDS, _OTHER_TIMES)
    if found is None:
        raise InvalidInput(f"'{text}' is no duration", "write a number with a unit, such as 90s, 10m or 2h")
    return found


def _amount(text: str, units: dict[str, int], others: dict[str, str]) -> int | None:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    unit = found[2].lower()
    factor = units.get(others.get(unit, unit))
    if factor is None or len(found[1]) > 20:  # noqa: PLR2004 - longer than anything that can be meant
        return None
    return round(float(found[1]) * factor) if "." in found[1] else int(found[1]) * factor


def size_text(amount: int) -> str:
    """``500 MB``: exact, in the largest unit that divides it."""
    return _text(amount, SIZES)


def duration_text(seconds: int) -> str:
    """``10 min``: exact, in the largest unit that divides it."""
    return _text(seconds, SECONDS)


def _text(amount: int, units: dict[str, int]) -> str:
    fitting = [(factor, name) for name, factor in units.items() if amount and amount % factor == 0]
    factor, name = max(fitting, default=(1, next(iter(units))))
    return f"{amount // factor} {name}"


def about(amount: int) -> str:
    """``612 MB``: rounded, for what was measured."""
    for name in ("TB", "GB", "MB", "kB"):
        if amount >= SIZES[name]:
            value = amount / SIZES[name]
            return f"{value:.0f} {name}" if value >= 100 else f"{value:.3g} {name}"  # noqa: PLR2004 - three figures
    return f"{amount} B"
