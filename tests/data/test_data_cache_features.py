"""Features kept beside the pixels of a store."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictures import save, stripes, write_folder
from striate.data import keep_features, open_source, read_features, store
from striate.data._cache_key import DIGEST
from striate.data._cache_sealed import write_sealed
from striate.image import Shape

KEY = "0" * 32
Digests = npt.NDArray[np.uint8]


def digests(*words: bytes) -> Digests:
    return np.frombuffer(b"".join(words), np.uint8).reshape(-1, DIGEST)


def features(count: int, size: int = 3, begin: float = 0) -> npt.NDArray[np.float32]:
    return np.arange(begin, begin + count * size, dtype=np.float32).reshape(count, size)


def some_digests(count: int, seed: int = 0) -> Digests:
    return np.random.default_rng(seed).integers(0, 256, (count, DIGEST), dtype=np.uint8)


# Few values, so that many are alike; zeros at the end are what NumPy's strings leave out.
WORDS = st.lists(st.sampled_from([0, 1, 255]), min_size=DIGEST, max_size=DIGEST).map(bytes)


@given(
    kept=st.lists(WORDS, min_size=1, max_size=12), asked=st.lists(WORDS, min_size=1, max_size=12)
)
@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_kept_is_found_again(tmp_path: Path, kept: list[bytes], asked: list[bytes]) -> None:
    (tmp_path / f"features-{KEY}").unlink(missing_ok=True)
    keep_features(tmp_path, KEY, digests(*kept), features(len(kept)))
    found = read_features(tmp_path, KEY)
    assert found is not None
    assert len(found.digests) == len(set(kept))
    rows = found.rows(digests(*kept, *asked))
    for word, row in zip([*kept, *asked], rows, strict=True):
        if word in kept:
            expected = features(len(kept))[kept.index(word)]
            np.testing.assert_array_equal(found.features_MF[row], expected)
        else:
            assert row == -1


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert read_features(tmp_path, KEY) is None


def test_what_is_new_joins_what_was_there(tmp_path: Path) -> None:
    words = some_digests(6)
    keep_features(tmp_path, KEY, words[:4], features(4))
    # The third and fourth again, with other numbers: those that were there stay.
    keep_features(tmp_path, KEY, words[2:], features(4, begin=100))
    found = read_features(tmp_path, KEY)
    assert found is not None
    expected = np.concatenate([features(4), features(4, begin=100)[2:]])
    np.testing.assert_array_equal(found.features_MF[found.rows(words)], expected)


def test_keys_are_apart(tmp_path: Path) -> None:
    words = some_digests(2)
    keep_features(tmp_path, KEY, words, features(2))
    assert read_features(tmp_path, "1" * 32) is None


def test_none_is_found_among_none(tmp_path: Path) -> None:
    keep_features(tmp_path, KEY, some_digests(0), features(0))
    found = read_features(tmp_path, KEY)
    assert found is not None
    assert found.rows(some_digests(3)).tolist() == [-1, -1, -1]


def test_features_of_another_length_replace_those_that_were_there(tmp_path: Path) -> None:
    words = some_digests(5)
    keep_features(tmp_path, KEY, words[:3], features(3, size=4))
    keep_features(tmp_path, KEY, words[2:], features(3, size=7))
    found = read_features(tmp_path, KEY)
    assert found is not None
    assert found.features_MF.shape == (3, 7)
    assert (found.rows(words) >= 0).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("damage", ["changed", "short", "empty"])
def test_a_damaged_file_counts_as_absent(tmp_path: Path, damage: str) -> None:
    words = some_digests(3)
    keep_features(tmp_path, KEY, words, features(3))
    path = tmp_path / f"features-{KEY}"
    whole = path.read_bytes()
    at = len(whole) // 2
    path.write_bytes(
        {
            "changed": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
            "short": whole[:-5],
            "empty": b"",
        }[damage]
    )
    assert read_features(tmp_path, KEY) is None
    keep_features(tmp_path, KEY, words[:1], features(1))
    found = read_features(tmp_path, KEY)
    assert found is not None
    assert len(found.digests) == 1


def test_a_whole_file_with_rows_too_few_counts_as_absent(tmp_path: Path) -> None:
    write_sealed(tmp_path / f"features-{KEY}", {}, [some_digests(3), features(2)])
    assert read_features(tmp_path, KEY) is None


def test_where_nothing_can_be_kept_a_run_goes_on(tmp_path: Path) -> None:
    keep_features(tmp_path / "gone", KEY, some_digests(1), features(1))
    assert not (tmp_path / "gone").exists()


def test_they_stay_where_pictures_join_the_store(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "stripes", each=2)
    shape = Shape(height=16, width=16, channels=3)
    before = store(open_source(source), shape, keep=True)
    assert before.folder is not None
    keep_features(before.folder, KEY, before.digests, features(4))
    save(stripes(1, 9), source / "across" / "new.png")
    after = store(open_source(source), shape, keep=True)
    assert after.folder == before.folder
    found = read_features(before.folder, KEY)
    assert found is not None
    assert sorted(found.rows(after.digests) >= 0) == [False, True, True, True, True]
