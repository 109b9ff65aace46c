"""What holds for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_users_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep decoded pictures away from the user's cache, in fixtures of a wider scope too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_CACHE", str(tmp_path_factory.mktemp("session-cache")))
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the decoded pictures of tests away from each other."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STRIATE_CACHE", str(cache))
    return cache
