"""Is a model folder still what was written? Hashes first, then its samples once more."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.errors import ModelError, StoppedError, StriateError
from striate.model._files import check_file, extra_files, read_checked
from striate.model._find import find_folder
from striate.model._manifest import MANIFEST, NETWORK, Manifest, Sample, read_manifest
from striate.model._predictor import Predictor, load


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: `what` should be so; `wrong` is the letter where it isn't."""

    what: str
    wrong: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self.wrong


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Everything that `examine` looked at.

    Attributes:
        path: the model folder.
        checks: in the order they were made.
        extra: files in the folder that the model doesn't know, sorted; they are never read.
    """

    path: Path
    checks: tuple[Check, ...]
    extra: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True where every check is well."""
        return all(check.ok for check in self.checks)

    @property
    def letter(self) -> str:
        """What is wrong, one line for each failed check."""
        return "\n".join(check.wrong for check in self.checks if check.wrong)


def verify(path: str | Path) -> Verification:
    """Check every hash of the model folder `path` and repeat its samples.

    `path` may also be a run folder that holds a model. Files that the model doesn't know are listed
    in `extra`, never refused.

    Raises ModelError where a file is missing, changed or leads out of the folder, where the network
    breaks its contract, and where a sample's answer differs from the one written down by more than
    1e-4; the message names every file and sample that is wrong.
    """
    verification = examine(path)
    if not verification.ok:
        raise ModelError(verification.letter)
    return verification


def examine(path: str | Path) -> Verification:
    """Do what `verify` does, but return failed checks too.

    Raises ModelError only where there is no readable `model.json` to compare with.
    """
    folder = find_folder(path)
    manifest = read_manifest(folder)
    checks = [Check(what=f"{MANIFEST} is well formed (format {manifest.format})")]
    checks += [
        _attempt(f"{name} is unchanged", partial(check_file, folder, name, digest))
        for name, digest in sorted(manifest.files.items())
    ]
    if all(check.ok for check in checks):
        checks += _repeated(folder, manifest)
    known = {MANIFEST, *manifest.files}
    return Verification(path=folder, checks=tuple(checks), extra=extra_files(folder, known))


def _repeated(folder: Path, manifest: Manifest) -> list[Check]:
    """Return the checks of the network's contract and of each sample."""
    what = f"{NETWORK} takes and gives what docs/model-folder.md says"
    try:
        predictor = load(folder, max_pixels=manifest.sample_pixels)
    except ModelError as error:
        return [Check(what=what, wrong=str(error))]
    written_NK = np.array([sample.answer for sample in manifest.samples], dtype=np.float32)
    return [Check(what=what)] + [
        _attempt(
            f"{sample.file} gives the answer it gave",
            partial(_repeat, predictor, sample, written_NK, row),
        )
        for row, sample in enumerate(manifest.samples)
    ]


def _repeat(
    predictor: Predictor, sample: Sample, written_NK: npt.NDArray[np.float32], row: int
) -> None:
    """Raise ModelError where the sample's answer isn't the one written down, in `row`.

    All written answers are compared at once, with the new one in its row, as what is allowed for a
    regression depends on how far all of them lie apart.
    """
    folder, manifest = predictor.path, predictor.manifest
    data = read_checked(folder, sample.file, manifest.files[sample.file])
    _, answer_NK = predictor.run(predictor.pixels(data, name=str(folder / sample.file))[None])
    got_NK = written_NK.copy()
    got_NK[row] = answer_NK[0]
    if difference := manifest.answer.disagreement(written_NK, got_NK):
        raise ModelError(
            f"{folder}: the sample '{sample.file}' no longer gives the answer written in "
            f"{MANIFEST}: {difference}"
        )


def _attempt(what: str, check: Callable[[], None]) -> Check:
    try:
        check()
    except StoppedError:
        # A second Ctrl-C in the middle: nothing is wrong with the file.
        raise
    except StriateError as error:
        return Check(what=what, wrong=str(error))
    return Check(what=what)
