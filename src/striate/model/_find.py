"""Where a model lies, from what the user gave."""

from os.path import exists, isdir, isfile  # unlike Path's, False for a name that is too long
from pathlib import Path

from striate.errors import ModelError
from striate.model._manifest import MANIFEST


def find_folder(path: str | Path) -> Path:
    """Return the model folder that `path` is, or that the run folder `path` holds as `model/`.

    Raises ModelError with what was expected where there is neither.
    """
    given = Path(path)
    for folder in (given, given / "model"):
        if isfile(folder / MANIFEST):  # noqa: PTH113
            return folder
    expected = "Expected a model folder (it holds model.json), or a run folder with one as model/."
    if isdir(given):  # noqa: PTH112
        raise ModelError(f"{given}: there is no model in this folder. {expected}")
    if exists(given):  # noqa: PTH110
        raise ModelError(f"{given}: this is not a folder. {expected}")
    raise ModelError(f"{given}: there is no such folder. {expected}")
