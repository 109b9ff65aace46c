"""The hash that `model.json` holds of itself: a changed byte in a class's name must not go unseen."""

import hashlib
import json
from typing import Any

from striate.errors import ModelError

KEY = "sha256"
OPEN = "0" * 64
"""What stands in the hash's place while it is computed."""


def sealed(value: dict[str, Any]) -> bytes:
    """Return `value` as a JSON file whose first key is the SHA-256 of the file with zeros there."""
    data = (json.dumps({KEY: OPEN, **value}, indent=1) + "\n").encode()
    return data.replace(OPEN.encode(), hashlib.sha256(data).hexdigest().encode(), 1)


def unsealed(value: Any, data: bytes, *, file: str) -> dict[str, Any]:
    """Return `value`, parsed from the file's bytes `data`, without the hash.

    Raises ModelError where the hash is missing, or a byte was changed since it was written.
    """
    found = value.get(KEY) if isinstance(value, dict) else None
    if not isinstance(found, str) or len(found) != len(OPEN):
        raise ModelError(f"{file}: expected the key '{KEY}' with {len(OPEN)} hexadecimal digits.")
    if hashlib.sha256(data.replace(found.encode(), OPEN.encode(), 1)).hexdigest() != found:
        raise ModelError(
            f"{file}: the file was changed after the model was written (its SHA-256 is another). "
            "Copy the whole model folder again from where it was made."
        )
    return {key: inner for key, inner in value.items() if key != KEY}
