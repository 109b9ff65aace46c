"""Which part the detailed figures are drawn from."""

from striate.report._run import Json, Run

SAID = {"test": "the test part", "validation": "the validation part", "train": "the training part"}


def detailed_part(run: Run) -> tuple[str, Json]:
    """Return the part (test before validation before train) that has details, and the details."""
    details: Json = run.results.get("details") or {}
    for name in ("test", "validation", "train"):
        if details.get(name):
            return name, details[name]
    return "", {}


def on(part: str) -> str:
    """Return the part in words, for sentences and titles."""
    return SAID.get(part, part)
