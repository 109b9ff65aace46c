"""Choosing a head's penalty: folds that keep groups together, and what is held out decides."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

import striate
from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.training._head import (
    FOLDS,
    MIDDLE,
    PATIENCE,
    SHARES,
    STRENGTHS,
    Samples,
    fit_head,
    folds_of,
)
from striate.training._head_model import Model, answers_of

AB = Classification(("a", "b"))


def samples(
    targets: npt.NDArray[np.generic],
    *,
    size: int = 6,
    variants: int = 1,
    groups: npt.NDArray[np.int64] | None = None,
    told: float = 1.0,
    seed: int = 0,
) -> Samples:
    """Return pictures whose first feature tells the target, `told` times as loud as the noise."""
    count = len(targets)
    rng = np.random.default_rng(seed)
    features_NVF = rng.normal(size=(count, variants, size)).astype(np.float32)
    features_NVF[..., 0] += told * np.asarray(targets, float).reshape(count, -1)[:, :1]
    return Samples(
        features_NVF=features_NVF,
        targets=targets,
        groups_N=np.arange(count) if groups is None else groups,
        weights_N=np.ones(count),
    )


@given(
    data=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=60),
    seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_groups_are_never_torn_apart(data: list[tuple[int, int]], seed: int) -> None:
    targets = np.array([kind for kind, _ in data])
    groups = np.array([group for _, group in data])
    answer = Classification(("a", "b", "c"))
    folds_N = folds_of(samples(targets, groups=groups), answer, seed)
    for group in np.unique(groups):
        assert len(np.unique(folds_N[groups == group])) == 1
    assert np.unique(folds_N).tolist() == list(range(int(folds_N.max()) + 1))
    assert folds_N.max() < FOLDS


@given(
    counts=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    shuffle=st.integers(0, 100),
)
@settings(deadline=None, max_examples=60)
def test_every_class_is_in_every_fold_and_folds_are_alike(counts: list[int], shuffle: int) -> None:
    targets = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(shuffle).shuffle(targets)
    answer = Classification(tuple("abcd"[: len(counts)]))
    folds_N = folds_of(samples(targets), answer, 0)
    count = int(folds_N.max()) + 1
    assert count == (min(FOLDS, *counts) if min(counts) > 1 else 1)
    for kind in range(len(counts)):
        each = np.bincount(folds_N[targets == kind], minlength=count)
        assert each.min() >= 1
        assert each.max() - each.min() <= 1
    sizes = np.bincount(folds_N)
    assert sizes.max() - sizes.min() <= 1


def test_a_class_with_one_picture_leaves_nothing_to_hold_out() -> None:
    targets = np.array([0] * 9 + [1])
    some = samples(targets, told=5)
    assert not folds_of(some, AB, 0).any()
    fit = fit_head(some, AB, outputs=2, seed=0)
    assert (fit.strength, fit.tried, fit.folds) == (MIDDLE, (), 1)
    assert np.isfinite(fit.head.weights_KF).all()


def test_pictures_of_one_group_leave_nothing_to_hold_out() -> None:
    targets = np.array([0, 1, 0, 1])
    assert not folds_of(samples(targets, groups=np.zeros(4, np.int64)), AB, 0).any()


@pytest.mark.parametrize(
    ("answer", "targets"),
    [
        (MultiLabel(("a", "b")), np.array([[0, 1]] * 7 + [[1, 0]], np.uint8)),
        (Regression(("x",)), np.arange(8.0)[:, None]),
    ],
)
def test_labels_and_numbers_are_held_out_however_rare(
    answer: Answer, targets: npt.NDArray[np.generic]
) -> None:
    assert np.unique(folds_of(samples(targets), answer, 0)).tolist() == [0, 1, 2, 3, 4]


def test_a_seed_always_gives_the_same_head_and_another_one_other_folds() -> None:
    targets = np.arange(40) % 2
    some = samples(targets)
    first, again = (fit_head(some, AB, outputs=2, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.head.weights_KF, again.head.weights_KF)
    assert first.tried == again.tried
    assert (folds_of(some, AB, 3) != folds_of(some, AB, 4)).any()


def test_noise_is_penalised_and_what_tells_is_not() -> None:
    targets = np.arange(60) % 2
    noise = fit_head(samples(targets, told=0, size=40), AB, outputs=2, seed=0)
    clear = fit_head(samples(targets, told=20, size=40), AB, outputs=2, seed=0)
    assert noise.strength > 30 * clear.strength
    assert max(one.figure for one in clear.tried) == 1


def test_the_penalty_is_the_one_that_did_best_and_the_search_ends_soon_after() -> None:
    targets = np.arange(50) % 2
    told: list[tuple[int, int]] = []
    fit = fit_head(
        samples(targets, size=30), AB, outputs=2, seed=0, progress=lambda *at: told.append(at)
    )
    losses = [one.loss for one in fit.tried]
    best = losses.index(min(losses))
    assert fit.strength == fit.tried[best].strength
    assert [one.strength for one in fit.tried] == list(STRENGTHS[: len(losses)])
    assert len(losses) == min(best + 1 + PATIENCE, len(STRENGTHS))
    assert len(losses) < len(STRENGTHS)
    assert told == [(n + 1, len(STRENGTHS)) for n in range(len(losses))]
    assert fit.folds == FOLDS


def test_judgements_are_those_of_models_that_never_saw_what_they_are_judged_on() -> None:
    rng = np.random.default_rng(5)
    targets = rng.normal(size=(30, 1))
    some = samples(targets, size=8)
    answer = Regression(("x",))
    fit = fit_head(some, answer, outputs=1, seed=1)
    folds_N = folds_of(some, answer, 1)
    plain, scale = some.features_NVF[:, 0].astype(float), targets.std()
    for tried in fit.tried:
        answers = np.zeros((30, 1))
        for fold in range(5):
            kept = folds_N != fold
            middle, spread = plain[kept].mean(axis=0), plain[kept].std(axis=0).mean()
            peer = Ridge(alpha=tried.strength).fit(
                (plain[kept] - middle) / spread, targets[kept] / scale
            )
            held = (plain[~kept] - middle) / spread
            answers[~kept] = peer.predict(held).reshape(-1, 1) * scale
        expected = answer.metrics(answers, targets)
        assert tried.loss == pytest.approx(expected["loss"], rel=1e-4)
        assert tried.figure == pytest.approx(expected[answer.selection[0]], rel=1e-4)


def test_variants_of_a_picture_count_as_one() -> None:
    targets = np.arange(24) % 2
    one = samples(targets)
    twice = Samples(
        features_NVF=np.repeat(one.features_NVF, 2, axis=1),
        targets=targets,
        groups_N=one.groups_N,
        weights_N=one.weights_N,
    )
    alone, both = (fit_head(each, AB, outputs=2, seed=0) for each in (one, twice))
    assert alone.strength == both.strength
    np.testing.assert_allclose(alone.head.weights_KF, both.head.weights_KF, atol=1e-3)


def test_the_head_learns_from_variants_too() -> None:
    targets = np.arange(24) % 2
    some = samples(targets, variants=2, told=0)
    some.features_NVF[:, 1, 3] += 4 * targets  # only mirrored pictures tell
    fit = fit_head(some, AB, outputs=2, seed=0)
    difference = np.abs(fit.head.weights_KF[1] - fit.head.weights_KF[0])
    assert difference.argmax() == 3


def test_a_label_that_no_picture_has_is_answered_with_hardly() -> None:
    targets = np.stack([np.arange(30) % 2, np.zeros(30), np.ones(30)], axis=1).astype(np.uint8)
    some = samples(targets, told=5)
    answer = MultiLabel(("some", "none", "all"))
    fit = fit_head(some, answer, outputs=3, seed=0)
    rows = answers_of(Model(answer, targets), fit.head.logits(some.features_NVF[:, 0]))
    assert np.isfinite(fit.head.weights_KF).all()
    assert rows[:, 1].max() < 0.01
    assert rows[:, 2].min() > 0.99


def test_a_class_without_a_training_picture_is_hardly_ever_answered() -> None:
    targets = np.arange(30) % 2 * 2
    some = samples(targets, told=5)
    answer = Classification(("a", "nobody", "c"))
    fit = fit_head(some, answer, outputs=3, seed=0)
    assert fit.folds == FOLDS
    rows = answers_of(Model(answer, targets), fit.head.logits(some.features_NVF[:, 0]))
    assert rows[:, 1].max() < 0.01
    assert (rows.argmax(axis=1) == targets).mean() > 0.9


@pytest.mark.parametrize(("told_by", "share"), [("features", 0.25), ("known", 1.0)])
def test_held_out_pictures_say_how_much_the_known_classes_count(told_by: str, share: float) -> None:
    rng = np.random.default_rng(3)
    targets = np.arange(80) % 2
    features_NF = rng.normal(size=(80, 12)).astype(np.float32)
    # The last 8 are the known classes' and vary a hundredth as much as the others.
    tells = slice(0, 2) if told_by == "features" else slice(4, 6)
    features_NF[:, tells] += 1.2 * targets[:, None]
    features_NF[:, 4:] /= 100
    fit = fit_head(
        Samples(
            features_NVF=features_NF[:, None],
            targets=targets,
            groups_N=np.arange(80),
            weights_N=np.ones(80),
            known=8,
        ),
        AB,
        outputs=2,
        seed=0,
    )
    assert fit.share == share
    assert len(fit.tried) > PATIENCE
    # The same as features that were scaled by hand, to one penalty for all.
    scaled_NF = features_NF.astype(np.float64)
    scaled_NF[:, :4] /= scaled_NF[:, :4].std(axis=0).mean()
    scaled_NF[:, 4:] /= scaled_NF[:, 4:].std(axis=0).mean() / share
    # W and −W under the penalty are as one weight 2 W under a half of it.
    both = LogisticRegression(C=2 / fit.strength, tol=1e-8, max_iter=5000).fit(scaled_NF, targets)
    found = fit.head.logits(features_NF)
    expected = both.decision_function(scaled_NF)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], expected, atol=2e-3)


def test_without_known_classes_there_is_no_share() -> None:
    fit = fit_head(samples(np.arange(30) % 2), AB, outputs=2, seed=0)
    assert fit.share is None
    assert tuple(sorted(SHARES)) == SHARES


def test_every_blas_has_one_thread_while_a_head_is_fit() -> None:
    # In a new process: SciPy brings a library of its own, which must be there before the limit is set.
    code = (
        "import numpy as np\n"
        "from threadpoolctl import threadpool_info\n"
        "from striate.answer import Classification\n"
        "from striate.training._head import Samples, fit_head\n"
        "seen = []\n"
        "def look(done, most):\n"
        "    seen.append([one for one in threadpool_info() if one['user_api'] == 'blas'])\n"
        "features = np.random.default_rng(0).normal(size=(40, 1, 6)).astype(np.float32)\n"
        "fit_head(Samples(features_NVF=features, targets=np.arange(40) % 2, groups_N=np.arange(40),\n"
        "    weights_N=np.ones(40)), Classification(('a', 'b')), outputs=2, seed=0, progress=look)\n"
        "assert len({one['filepath'] for one in seen[-1]}) >= 2, seen[-1]\n"
        "assert {one['num_threads'] for each in seen for one in each} == {1}, seen\n"
    )
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    source = str(Path(striate.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | threads | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
