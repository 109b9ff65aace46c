"""A network and its optimizer, saved in the middle of a run and restored into fresh ones."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.training._checkpoints import Checkpoints, State
from striate.training._checkpoints._network import collect, restore, weights_of
from striate.training._optimizers import (
    Group,
    _adagrad,
    _adam,
    _sgd,
    make_optimizer,
    optimizers,
)

# Every option that adds state or changes how it is used.
CASES = [(entry.name, {}) for entry in optimizers()] + [
    ("adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("adamw", {"amsgrad": True}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("rmsprop", {"momentum": 0.7}),
]


def network(seed=3, *, still=False):
    """channels_last, kernels with several channels both ways, batch norm, a depthwise kernel."""
    torch.default_generator.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 6, 2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(6 * 3 * 3, 3),
    ).to(memory_format=torch.channels_last)
    layers.register_buffer("unsaved", torch.zeros(2), persistent=False)
    layers[0].requires_grad_(not still)
    return layers


def optimizer_of(net, name, options):
    parameters = [p for p in net.parameters() if p.requires_grad]
    kernels = [p for p in parameters if p.ndim > 1]
    groups = [
        Group(kernels[:-1]),
        Group(kernels[-1:], head=True, rate=0.5),
        Group([p for p in parameters if p.ndim == 1], decay=False),
    ]
    return make_optimizer(name, groups, **options)


def train(net, optimizer, steps):
    net.train()
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        pictures = torch.randn(8, 3, 8, 8, generator=generator)
        targets = torch.randint(0, 3, (8,), generator=generator)
        torch.default_generator.manual_seed(step)
        logits = net(pictures.to(memory_format=torch.channels_last))
        nn.functional.cross_entropy(logits, targets).backward()
        optimizer.step(0.01)
        optimizer.zero_grad()
        net.unsaved.add_(1.0)


def hashed(net, optimizer):
    """SHA-256 of all tensors in canonical order."""
    digest = hashlib.sha256()
    tensors = dict(net.named_parameters()) | dict(net.named_buffers()) | optimizer.state()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def saved_and_read(folder, state):
    Checkpoints(folder, tell=pytest.fail).save(state)
    found = Checkpoints(folder, tell=pytest.fail).newest()
    assert found is not None
    return found


def unfuse(monkeypatch):
    for module in (_adam, _sgd, _adagrad):
        monkeypatch.setattr(module, "has_fused", lambda *_: False)


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "foreach"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, monkeypatch, name, options, fused):
    if not fused:
        unfuse(monkeypatch)
    whole = network(still=True)
    optimizer = optimizer_of(whole, name, options)
    train(whole, optimizer, range(9))

    folder = tmp_path / "checkpoints"
    net = network(still=True)
    mover = optimizer_of(net, name, options)
    for begin in (0, 3, 4):  # killed twice in one epoch, as it were
        train(net, mover, range(begin, {0: 3, 3: 4, 4: 6}[begin]))
        state = saved_and_read(folder, collect(net, mover, weights={}, tree={}))
        # Another seed: whatever isn't restored would be seen.
        net = network(seed=begin + 10, still=True)
        mover = optimizer_of(net, name, options)
        train(net, mover, range(20, 21))
        strides = [p.stride() for p in net.parameters()]
        restore(state, net, mover)
        assert [p.stride() for p in net.parameters()] == strides
    train(net, mover, range(6, 9))
    assert net.unsaved[0] == 9.0
    assert hashed(net, mover) == hashed(whole, optimizer)
    assert hashed(net, mover) != hashed(network(still=True), mover)


def test_kernels_really_lie_otherwise_in_memory_than_on_the_disk(tmp_path):
    net = network()
    assert not net[0].weight.is_contiguous() and not net[4].weight.is_contiguous()
    mover = optimizer_of(net, "adam", {})
    train(net, mover, range(2))
    state = saved_and_read(tmp_path / "c", collect(net, mover, weights={}, tree={}))
    held = state.tensors["optimizer/exp_avg/0.weight"]
    number = next(n for n, p in enumerate(mover.parameters) if p is net[0].weight)
    assert torch.equal(torch.from_numpy(held), mover.state()[f"exp_avg.{number}"])


def test_state_is_known_by_names_not_by_the_order_of_groups(tmp_path):
    net = network()
    mover = optimizer_of(net, "adam", {})
    train(net, mover, range(3))
    state = saved_and_read(tmp_path / "c", collect(net, mover, weights={}, tree={}))
    other = network(seed=8)
    turned = make_optimizer("adam", [Group([p]) for p in reversed(list(other.parameters()))])
    restore(state, other, turned)
    flat = turned.state()
    for number, parameter in enumerate(turned.parameters):
        name = next(name for name, p in other.named_parameters() if p is parameter)
        saved = torch.from_numpy(state.tensors[f"optimizer/exp_avg/{name}"])
        assert torch.equal(flat[f"exp_avg.{number}"], saved)


def test_sets_of_weights_come_back_laid_out_like_the_network(tmp_path):
    net = network(still=True)
    mover = optimizer_of(net, "sgd", {"momentum": 0.9})
    train(net, mover, range(2))
    best = {name: one.clone() for name, one in net.state_dict().items()}
    average = {name: one.detach() * 0.5 for name, one in net.named_parameters()}
    train(net, mover, range(2, 4))
    taken = collect(net, mover, weights={"best": best, "average": average, "none": {}}, tree={})
    assert taken.frozen.keys() == {"network/0.weight", "network/0.bias"}
    # The frozen ones are stored once; the average of them differs and is kept.
    assert "best/0.weight" not in taken.tensors and "average/0.weight" in taken.tensors
    state = saved_and_read(tmp_path / "c", taken)
    fresh = network(seed=7)
    for kind, expected in (("best", best), ("average", average)):
        found = weights_of(state, kind, fresh)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        assert found["4.weight"].stride() == fresh[4].weight.stride()
    assert weights_of(state, "none", fresh) == {}
    before = {name: one.clone() for name, one in found.items()}
    fresh.load_state_dict(weights_of(state, "best", fresh))
    train(fresh, optimizer_of(fresh, "sgd", {}), range(1))
    assert all(torch.equal(before[name], found[name]) for name in found)


def test_half_precision_comes_back(tmp_path):
    net = nn.Linear(3, 2).to(torch.bfloat16)
    mover = make_optimizer("sgd", [Group(list(net.parameters()))], momentum=0.5)
    state = saved_and_read(tmp_path / "c", collect(net, mover, weights={}, tree={}))
    other = nn.Linear(3, 2).to(torch.bfloat16)
    restore(state, other, make_optimizer("sgd", [Group(list(other.parameters()))], momentum=0.5))
    assert torch.equal(other.weight, net.weight) and other.weight.dtype == torch.bfloat16


def test_a_state_in_memory_is_restored_too():
    net = network()
    mover = optimizer_of(net, "adamw", {})
    taken = collect(net, mover, weights={}, tree={})
    copies = {name: one.clone() for name, one in taken.tensors.items()}
    before = hashed(net, mover)
    train(net, mover, range(2))
    assert hashed(net, mover) != before
    restore(State(tensors=copies), net, mover)
    assert hashed(net, mover) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda t: t.update({"network/4.weight": torch.zeros(6, 8, 1, 1)}),
            "in the network, '4.weight' should be float32 (6, 8, 2, 2) and is "
            "float32 (6, 8, 1, 1) in the checkpoint.",
        ),
        (
            lambda t: t.update({"network/4.bias": torch.zeros(6, dtype=torch.float64)}),
            "in the network, '4.bias' should be float32 (6,) and is float64 (6,) in the checkpoint.",
        ),
        (
            lambda t: t.pop("network/1.running_mean"),
            "in the network, '1.running_mean' should be float32 (8,) and is absent "
            "in the checkpoint.",
        ),
        (
            lambda t: t.update({"network/9.weight": torch.zeros(1)}),
            "in the network, '9.weight' should be absent and is float32 (1,) in the checkpoint.",
        ),
        (
            lambda t: t.pop("optimizer/exp_avg_sq/0.bias"),
            "in the optimizer, 'exp_avg_sq/0.bias' should be float32 (8,) and is absent "
            "in the checkpoint.",
        ),
        (
            lambda t: t.update({"optimizer/momentum/0.bias": torch.zeros(8)}),
            "in the optimizer, 'momentum/0.bias' should be absent and is float32 (8,) "
            "in the checkpoint.",
        ),
    ],
)
def test_what_doesnt_fit_is_named_and_nothing_is_changed(change, sentence):
    net = network()
    mover = optimizer_of(net, "adam", {})
    train(net, mover, range(1))
    tensors = {
        name: one + 1 for name, one in collect(net, mover, weights={}, tree={}).tensors.items()
    }
    change(tensors)
    before = hashed(net, mover)
    with pytest.raises(UsageError) as caught:
        restore(State(tensors=tensors), net, mover)
    assert str(caught.value) == (
        f"The checkpoint doesn't fit: {sentence} "
        "Resume with the settings that the run was begun with."
    )
    assert hashed(net, mover) == before


def test_weights_that_dont_fit_are_named():
    state = State(tensors={"best/4.bias": torch.zeros(2)})
    with pytest.raises(UsageError, match=r"in the best, '4.bias' should be float32 \(6,\)"):
        weights_of(state, "best", network())


def test_saving_numpy_arrays_imports_no_pytorch(tmp_path):
    code = (
        "import sys; from saving_child import main; from striate.training._lock import RunLock\n"
        "main(sys.argv[1], '1', '2'); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "checkpoints")],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
