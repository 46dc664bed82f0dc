"""What the fields of forms mean: texts that become numbers and parameters' values. Knows no page."""

from typing import Any

from werkzeug.datastructures import MultiDict

from bottool import wire
from bottool.errors import InvalidInput

Form = MultiDict[str, str]


def typed(parameter: wire.Parameter, text: str) -> Any:
    """The value that a form's text means for this parameter; ``None`` when nothing was filled in."""
    if parameter.type == "boolean":
        return text == "yes"
    if not text.strip():
        return None
    if parameter.type == "integer":
        return number(text, parameter.label)
    if parameter.type == "decimal":
        try:
            return float(text.replace(",", "."))
        except ValueError:
            raise InvalidInput(f"'{parameter.label}' is '{text}'; a number is wanted") from None
    return text


def number(text: str, label: str) -> int:
    """:raises InvalidInput: naming ``label``, for what is no whole number."""
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"'{label}' is '{text}'; a whole number is wanted") from None
