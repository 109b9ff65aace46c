"""What holds for every test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep decoded pictures away from the user's cache, and tests away from each other."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STRIATE_CACHE", str(cache))
    return cache
