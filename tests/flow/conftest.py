"""A package of weights that counts as installed, and a backbone that was made of it once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import striate
from pictures import write_folder
from weights_package import SIDE, Lite, install, lite0


@pytest.fixture(scope="session")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lite]:
    """Train on a frozen backbone once, from nothing."""
    site, cache = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("lite-cache")
    file = install(site, lite0())
    pictures = write_folder(tmp_path_factory.mktemp("data") / "stripes", size=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_CACHE", str(cache))
        patch.syspath_prepend(str(site))
        run = striate.train(
            pictures, image_size=SIDE, threads=1, out=tmp_path_factory.mktemp("runs")
        )
    yield Lite(site=site, file=file, pictures=pictures, run=run, cache=cache)


@pytest.fixture
def package(lite: Lite, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Lite:
    """Let the package count as installed; the backbone is kept already, pictures aren't."""
    monkeypatch.syspath_prepend(str(lite.site))
    (own_cache / "backbones").symlink_to(lite.cache / "backbones", target_is_directory=True)
    return lite
