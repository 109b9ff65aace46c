"""Device and repeatability."""

import pytest
import torch

from striate.errors import UsageError
from striate.training._device import make_repeatable, pick_device, step_seed


def test_repeatable_means_deterministic_algorithms() -> None:
    torch.use_deterministic_algorithms(False)
    make_repeatable(3, 1, torch.device("cpu"))
    try:
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        first = torch.rand(3)
        make_repeatable(3, 1, torch.device("cpu"))
        assert torch.equal(first, torch.rand(3))
        assert torch.get_num_threads() == 1
    finally:
        torch.use_deterministic_algorithms(False)


def test_an_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError) as caught:
        pick_device("cuda")
    assert str(caught.value) == (
        f"--device cuda: PyTorch {torch.__version__} finds no such device here. "
        "Leave the option out to take what there is."
    )


def test_auto_takes_the_fastest_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == "cuda"
    assert pick_device("cpu").type == "cpu"


def test_seeds_of_steps_differ() -> None:
    seeds = {step_seed(seed, step) for seed in range(20) for step in range(500)}
    assert len(seeds) == 20 * 500
    assert all(0 <= seed < 2**63 for seed in seeds)
