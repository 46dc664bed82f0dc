"""The limits of an automation, as its form has them: with units, so that no value is rounded."""

from typing import Any

from bottool import wire
from bottool.errors import InvalidInput
from bottool.quantities import duration_seconds, duration_text, size_bytes, size_text
from bottool_web.pages.forms import Form, number

LABELS = {
    "timeout_seconds": "Time-out",
    "silence_seconds": "No output for",
    "memory_limit_bytes": "Memory",
    "process_limit": "Processes",
    "output_limit_bytes": "Output",
    "disk_limit_bytes": "Working folder on disk",
    "interrupt_seconds": "Time to end by itself",
    "grace_seconds": "Time after the signal",
}
"""In the order of the form."""
_ALWAYS = ("interrupt_seconds", "grace_seconds")


def from_form(form: Form) -> dict[str, Any]:
    """The fields that the form has, as ``wire.NewAutomation`` names them; an empty one is no limit.

    :raises InvalidInput: with the name that the form gives the field.
    """
    found: dict[str, Any] = {}
    for name, label in LABELS.items():
        text = form.get(name, "").strip()
        if text:
            found[name] = _read(name, text, label)
        elif name in form and name not in _ALWAYS:
            found[name] = None
    return found


def _read(name: str, text: str, label: str) -> int:
    if name == "process_limit":
        return number(text, label)
    if text.isdecimal():
        unit = "MB" if name.endswith("_bytes") else "min"
        raise InvalidInput(f"{label}: '{text}' has no unit", f"write for example {text} {unit}", path=name)
    read = size_bytes if name.endswith("_bytes") else duration_seconds
    try:
        return read(text)
    except InvalidInput as error:
        raise InvalidInput(f"{label}: {error.message}", error.hint, path=name) from error


def texts_of(automation: wire.Automation | None) -> dict[str, str]:
    """The fields as the form shows them; ``None`` is an automation that is still to be made."""
    shown = automation or wire.NewAutomation(label="")
    return {name: _text(name, getattr(shown, name)) for name in LABELS}


def shown(automation: wire.Automation) -> dict[str, str]:
    """Those that are set, by their labels."""
    return {LABELS[name]: text for name, text in texts_of(automation).items() if text}


def _text(name: str, value: int | None) -> str:
    if value is None:
        return ""
    if name == "process_limit":
        return str(value)
    return size_text(value) if name.endswith("_bytes") else duration_text(value)
