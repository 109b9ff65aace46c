"""A decision made for the user."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A setting's value and why: printed, and shown in the report."""

    name: str
    value: Any
    reason: str
