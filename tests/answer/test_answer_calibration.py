"""Calibration by hand and against torchmetrics."""

import numpy as np
import pytest

from striate.answer._calibration import calibration


def test_bins_worked_by_hand() -> None:
    probability = np.array([0.0, 0.05, 0.1, 0.3, 0.7, 0.75, 1.0])
    found = calibration(probability, np.array([False, True, False, True, True, True, False]))
    # 0.1, 0.3 and 0.7 open their bins; 1.0 belongs to the last.
    assert found.count.tolist() == [2, 1, 0, 1, 0, 0, 0, 2, 0, 1]
    assert found.accuracy.tolist() == [0.5, 0, 0, 1, 0, 0, 0, 1, 0, 0]
    assert found.confidence[[0, 7, 9]] == pytest.approx([0.025, 0.725, 1.0])
    gaps = [2 * 0.475, 0.1, 0.7, 2 * 0.275, 1.0]
    assert found.error() == pytest.approx(sum(gaps) / 7)


def test_rows_for_the_report() -> None:
    rows = calibration(np.array([0.25]), np.array([True])).rows()
    assert len(rows) == 10
    assert rows[2] == {"low": 0.2, "high": 0.3, "count": 1, "confidence": 0.25, "accuracy": 1.0}
    assert rows[9] == {"low": 0.9, "high": 1.0, "count": 0, "confidence": 0.0, "accuracy": 0.0}


@pytest.mark.slow
def test_the_error_is_that_of_torchmetrics() -> None:
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    rng = np.random.default_rng(0)
    answer_NK = rng.dirichlet(np.full(5, 0.4), 3000)
    targets = rng.integers(0, 5, 3000)
    expected = multiclass_calibration_error(
        torch.tensor(answer_NK), torch.tensor(targets), num_classes=5, n_bins=10, norm="l1"
    )
    found = calibration(answer_NK.max(axis=1), answer_NK.argmax(axis=1) == targets)
    assert found.error() == pytest.approx(float(expected), abs=1e-6)
