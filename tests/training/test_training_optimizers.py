"""Every optimizer against torch.optim, in both memory formats, saved and resumed."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.training._optimizers import Group, _adagrad, _adam, _sgd, make_optimizer, optimizers
from striate.training._optimizers._device import has_fused
from striate.training._optimizers._muon import orthogonal

SETTINGS = [
    ("adam", {}),
    ("adam", {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True}),
    ("adamw", {}),
    ("adamw", {"betas": (0.7, 0.9), "weight_decay": 0.3, "amsgrad": True}),
    ("sgd", {}),
    ("sgd", {"momentum": 0.9, "weight_decay": 0.1}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("rmsprop", {}),
    ("rmsprop", {"alpha": 0.8, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.1}),
    ("adagrad", {}),
    ("adagrad", {"eps": 1e-3, "weight_decay": 0.1}),
]
CLASSES = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
FORMATS = [torch.contiguous_format, torch.channels_last]
RATES = [0.01, 0.02, 0.005]


def network(memory_format=torch.contiguous_format):
    """Kernels with several channels, whose memory order differs between the formats."""
    torch.default_generator.manual_seed(3)
    layers = nn.Sequential(
        # No bias: batch norm would leave it a gradient of rounding errors.
        nn.Conv2d(3, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.Flatten(),
        nn.Linear(4 * 4 * 4, 3),
    )
    return layers.double().to(memory_format=memory_format)


def backward(net, step):
    generator = torch.Generator().manual_seed(step)
    pictures = torch.randn(8, 3, 8, 8, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, 3, (8,), generator=generator)
    memory_format = (
        torch.channels_last
        if net[0].weight.is_contiguous(memory_format=torch.channels_last)
        else torch.contiguous_format
    )
    logits = net(pictures.to(memory_format=memory_format))
    nn.functional.cross_entropy(logits, targets).backward()


def train(net, optimizer, steps):
    for step in steps:
        backward(net, step)
        optimizer.step(RATES[step % 3])
        optimizer.zero_grad()


def train_with_torch(net, optimizer, steps):
    for step in steps:
        backward(net, step)
        for group in optimizer.param_groups:
            group["lr"] = RATES[step % 3] * group.get("multiplier", 1.0)
        optimizer.step()
        optimizer.zero_grad()


def assert_same_weights(one, other, **tolerance):
    for (name, ours), theirs in zip(one.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(
            ours, theirs, msg=lambda text, name=name: f"{name}: {text}", **tolerance
        )


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("name", "options"), SETTINGS)
def test_twenty_steps_are_pytorchs(name, options, memory_format):
    ours, theirs = network(memory_format), network()
    optimizer = make_optimizer(name, [Group(list(ours.parameters()))], **options)
    reference = CLASSES[name](theirs.parameters(), lr=0.1, foreach=False, **options)
    train(ours, optimizer, range(20))
    train_with_torch(theirs, reference, range(20))
    assert_same_weights(ours, theirs, rtol=1e-5, atol=1e-9)
    moved = network()
    with pytest.raises(AssertionError):
        assert_same_weights(ours, moved, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    "entry", [e for e in optimizers() if e.name != "muon"], ids=lambda e: e.name
)
def test_defaults_are_pytorchs(entry):
    theirs = CLASSES[entry.name]([torch.zeros(1)], lr=0.1).defaults
    assert {option: theirs[option] for option in entry.options} == dict(entry.options)
    assert entry.title and entry.source and entry.decay in ("L2", "decoupled")


def test_defaults_of_muon_are_pytorchs():
    (entry,) = [e for e in optimizers() if e.name == "muon"]
    theirs = torch.optim.Muon([torch.zeros(2, 2)]).defaults
    shared = ("momentum", "nesterov", "weight_decay")
    assert {o: theirs[o] for o in shared} == {o: entry.options[o] for o in shared}


def test_names_of_optimizers_are_pinned():
    names = [entry.name for entry in optimizers()]
    assert names == ["adam", "adamw", "sgd", "rmsprop", "adagrad", "muon"]


@pytest.mark.parametrize("options", [{}, {"momentum": 0.6, "nesterov": False, "weight_decay": 0.0}])
@pytest.mark.parametrize("memory_format", FORMATS)
def test_muon_is_pytorchs_for_matrices_and_adamw_for_the_rest(memory_format, options, monkeypatch):
    # PyTorch's iterates in bfloat16; ours in float32 on the CPU.
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor.float().clone())
    ours, theirs = network(memory_format).float(), network().float()
    body = [p for p in ours.parameters() if p is not ours[5].weight]
    groups = [Group(body), Group([ours[5].weight], head=True)]
    optimizer = make_optimizer("muon", groups, **options)

    kernels = [theirs[0].weight, theirs[3].weight]
    flat = [nn.Parameter(kernel.detach().reshape(len(kernel), -1)) for kernel in kernels]
    rest = [p for p in theirs.parameters() if not any(p is kernel for kernel in kernels)]
    decay = options.get("weight_decay", 0.1)
    muon = torch.optim.Muon(flat, adjust_lr_fn="match_rms_adamw", **options)
    adamw = torch.optim.AdamW(rest, weight_decay=decay, foreach=False)
    for step in range(20):
        for net in (ours, theirs):
            net.double()
            backward(net, step)
            net.float()
        optimizer.step(RATES[step % 3])
        optimizer.zero_grad()
        for matrix, kernel in zip(flat, kernels, strict=True):
            matrix.grad = kernel.grad.reshape(matrix.shape)
        for reference in (muon, adamw):
            reference.param_groups[0]["lr"] = RATES[step % 3]
            reference.step()
            reference.zero_grad()
        for matrix, kernel in zip(flat, kernels, strict=True):
            kernel.data.copy_(matrix.detach().reshape(kernel.shape))
            kernel.grad = None
    assert_same_weights(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_muon_that_keeps_norms_turns_kernels_only(memory_format):
    ours = network(memory_format)
    kernel = ours[0].weight
    before = kernel.detach().clone()
    options = {"momentum": 0.6, "keep_norm": True, "weight_decay": 0.5}
    optimizer = make_optimizer("muon", [Group([kernel])], **options)
    backward(ours, 0)
    gradient = kernel.grad.clone()
    optimizer.step(0.24)
    rows = len(before)
    # The first step's direction is the gradient times a number, which has no influence.
    direction = orthogonal(gradient.reshape(rows, -1)).reshape(before.shape)
    expected = before * rows**0.5 / before.norm() - 0.24 * direction
    torch.testing.assert_close(kernel.detach(), expected, rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    size=st.floats(1e-3, 1e3),
)
def test_muons_updates_keep_singular_vectors_and_bring_values_near_one(seed, rows, columns, size):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, columns, generator=generator, dtype=torch.float64) * size
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    values = s / s.square().sum().sqrt()
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    expected = u @ torch.diag(values) @ vh
    torch.testing.assert_close(orthogonal(matrix), expected, rtol=1e-3, atol=2e-4)
    # A singular value below a hundredth of the norm takes more than five steps.
    assert values[s > 0.02 * s.norm()].sub(1).abs().max() < 0.45


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("name", "options"), [*SETTINGS, ("muon", {})])
def test_a_run_saved_in_the_middle_goes_on_bit_for_bit(name, options, memory_format):
    whole = network(memory_format)
    optimizer = make_optimizer(name, [Group(list(whole.parameters()))], **options)
    train(whole, optimizer, range(7))
    weights = {key: value.clone() for key, value in whole.state_dict().items()}
    state = optimizer.state()
    train(whole, optimizer, range(7, 12))

    resumed = network(memory_format)
    resumed.load_state_dict(weights)
    again = make_optimizer(name, [Group(list(resumed.parameters()))], **options)
    again.load(state)
    train(resumed, again, range(7, 12))
    assert_same_weights(resumed, whole, rtol=0, atol=0)
    assert all(torch.equal(value, again.state()[key]) for key, value in optimizer.state().items())


def test_saved_state_is_row_major_copied_and_named():
    net = network(torch.channels_last)
    optimizer = make_optimizer("adam", [Group(list(net.parameters()))])
    train(net, optimizer, range(3))
    state = optimizer.state()
    kinds = ("step", "exp_avg", "exp_avg_sq")
    assert state.keys() == {f"{kind}.{number}" for kind in kinds for number in range(7)}
    assert all(tensor.is_contiguous() for tensor in state.values())
    assert state["exp_avg.3"].shape == net[3].weight.shape and state["step.3"] == 3.0
    kept = {name: tensor.clone() for name, tensor in state.items()}
    train(net, optimizer, range(3, 5))
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_parameters_whose_memory_format_changes_later_still_move_rightly():
    ours, theirs = network(), network()
    optimizer = make_optimizer("adam", [Group(list(ours.parameters()))])
    reference = torch.optim.Adam(theirs.parameters(), foreach=False)
    train(ours, optimizer, range(3))
    ours.to(memory_format=torch.channels_last)
    train(ours, optimizer, range(3, 6))
    train_with_torch(theirs, reference, range(6))
    assert_same_weights(ours, theirs, rtol=1e-5, atol=1e-9)


def test_gradients_of_another_memory_format_are_read_rightly():
    weight = torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last).requires_grad_()
    gradient = torch.randn(4, 3, 2, 2)
    before = weight.detach().clone()
    # PyTorch lets a gradient with other strides be set by hand, and accumulates into it.
    weight.grad = gradient.clone()
    make_optimizer("sgd", [Group([weight])]).step(0.5)
    torch.testing.assert_close(weight.detach(), before - 0.5 * gradient)


@pytest.mark.parametrize(("name", "options"), [*SETTINGS, ("muon", {})])
def test_parameters_without_a_gradient_stay_and_count_no_step(name, options):
    still = torch.ones(3, 3, dtype=torch.float64, requires_grad=True)
    net = network()
    optimizer = make_optimizer(name, [Group([still, *net.parameters()])], **options)
    train(net, optimizer, range(4))
    assert torch.equal(still, torch.ones_like(still))
    state = optimizer.state()
    assert state["step.0"] == 0.0 and state["step.1"] == 4.0
    still.grad = torch.full_like(still, 2.0)
    fresh = torch.ones_like(still).requires_grad_()
    fresh.grad = still.grad.clone()
    optimizer.step(0.1)
    make_optimizer(name, [Group([fresh])], **options).step(0.1)
    torch.testing.assert_close(still, fresh)


def test_no_gradient_at_all_is_no_step():
    net = network()
    before = [p.detach().clone() for p in net.parameters()]
    make_optimizer("adamw", [Group(list(net.parameters()))]).step(0.1)
    assert all(torch.equal(p, kept) for p, kept in zip(net.parameters(), before, strict=True))


@pytest.mark.parametrize(("name", "options"), SETTINGS)
def test_groups_have_their_own_rate_and_may_spare_the_decay(name, options):
    ours, theirs = network(torch.channels_last), network()
    optimizer = make_optimizer(
        name,
        [
            Group([p for p in ours.parameters() if p.ndim > 1], rate=0.1),
            Group([p for p in ours.parameters() if p.ndim == 1], decay=False),
        ],
        **options,
    )
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "multiplier": 0.1},
        {"params": [p for p in theirs.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    reference = CLASSES[name](groups, lr=0.1, foreach=False, **options)
    train(ours, optimizer, range(6))
    train_with_torch(theirs, reference, range(6))
    assert_same_weights(ours, theirs, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(
    ("name", "options"), [case for case in SETTINGS if case[0] not in ("rmsprop",)]
)
def test_devices_without_fused_kernels_take_the_same_steps(
    name, options, memory_format, monkeypatch
):
    fused, foreach = network(memory_format), network(memory_format)
    optimizer = make_optimizer(name, [Group(list(fused.parameters()))], **options)
    train(fused, optimizer, range(8))
    for module in (_adam, _sgd, _adagrad):
        monkeypatch.setattr(module, "has_fused", lambda *_: False)
    for kernel in ("_fused_adam_", "_fused_adamw_", "_fused_sgd_", "_fused_adagrad_"):
        monkeypatch.delattr(torch, kernel)
    optimizer = make_optimizer(name, [Group(list(foreach.parameters()))], **options)
    train(foreach, optimizer, range(8))
    assert_same_weights(foreach, fused, rtol=1e-9, atol=1e-12)


def test_the_cpu_has_every_fused_kernel_and_the_meta_device_none():
    for kernel in ("_fused_adam_", "_fused_adamw_", "_fused_sgd_", "_fused_adagrad_"):
        assert has_fused(kernel, torch.zeros(1))
    assert not has_fused("_fused_adagrad_", torch.zeros(1, device="meta"))


def test_parameters_of_two_types_move_together():
    single = torch.ones(3, requires_grad=True)
    double = torch.ones(3, dtype=torch.float64, requires_grad=True)
    for parameter in (single, double):
        parameter.grad = torch.full_like(parameter, 0.5)
    make_optimizer("adam", [Group([single, double])]).step(0.1)
    torch.testing.assert_close(single.double(), double)


def test_zero_grad_drops_gradients():
    weight = torch.ones(2, requires_grad=True)
    weight.grad = torch.ones(2)
    make_optimizer("sgd", [Group([weight])]).zero_grad()
    assert weight.grad is None


def test_a_step_imports_neither_dynamo_nor_sympy_nor_more_of_torch_optim():
    code = """
import sys, torch
heavy = lambda: {m for m in sys.modules if m.startswith(("torch._dynamo", "sympy", "torch.optim"))}
before = heavy()
from striate.training._optimizers import Group, make_optimizer, optimizers
for entry in optimizers():
    weight, bias = torch.randn(4, 2, 3, 3, requires_grad=True), torch.zeros(4, requires_grad=True)
    optimizer = make_optimizer(entry.name, [Group([weight, bias])])
    (weight.square().sum() + bias.sum()).backward()
    optimizer.step(0.1)
    optimizer.load(optimizer.state())
    optimizer.zero_grad()
assert heavy() == before, sorted(heavy() - before)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_listing_optimizers_imports_no_pytorch():
    code = (
        "import sys\nfrom striate.training._optimizers import optimizers\n"
        "optimizers()\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "adma",
            {},
            "There is no optimizer called 'adma'. Did you mean 'adam'? "
            "Known: adam, adamw, sgd, rmsprop, adagrad, muon.",
        ),
        (
            "sgd",
            {"betas": (0.9, 0.99)},
            "The optimizer 'sgd' has no option 'betas'. "
            "Its options: momentum, nesterov, weight_decay.",
        ),
        (
            "adagrad",
            {"momentum": 0.9},
            "The optimizer 'adagrad' has no option 'momentum'. Its options: eps, weight_decay.",
        ),
        (
            "adam",
            {"betas": (0.9, 1.0)},
            "Each of betas must be a number from 0 and below 1; got 1.0.",
        ),
        (
            "adam",
            {"betas": (0.9,)},
            "betas must be two numbers, such as 0.9 and 0.999; got (0.9,).",
        ),
        ("adamw", {"weight_decay": -0.1}, "weight_decay must be a number from 0; got -0.1."),
        ("rmsprop", {"alpha": 1}, "alpha must be a number from 0 and below 1; got 1."),
        ("muon", {"momentum": "0.9"}, "momentum must be a number from 0 and below 1; got '0.9'."),
        (
            "sgd",
            {"nesterov": True},
            "nesterov looks ahead along the momentum: set momentum above 0, say 0.9.",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_a_letter(name, options, sentence):
    with pytest.raises(UsageError) as caught:
        make_optimizer(name, [Group([torch.zeros(1, requires_grad=True)])], **options)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda state: state.pop("exp_avg.1"),
            "'exp_avg.1' should be of shape (6,) and is absent.",
        ),
        (
            lambda state: state.update({"exp_avg.0": torch.zeros(2)}),
            "'exp_avg.0' should be of shape (6, 3, 3, 3) and is of shape (2,).",
        ),
        (
            lambda state: state.update({"sum.0": torch.zeros(2)}),
            "'sum.0' should be absent and is of shape (2,).",
        ),
    ],
)
def test_state_of_something_else_is_refused_and_nothing_is_taken_over(spoil, sentence):
    net = network()
    optimizer = make_optimizer("adam", [Group(list(net.parameters()))])
    train(net, optimizer, range(2))
    before, state = optimizer.state(), optimizer.state()
    for tensor in state.values():
        tensor.add_(1)
    spoil(state)
    with pytest.raises(UsageError) as caught:
        optimizer.load(state)
    assert str(caught.value) == (
        "The saved state of the optimizer doesn't fit 'adam' on this network: "
        f"{sentence} Go on with the settings that it was saved with."
    )
    assert all(torch.equal(value, before[name]) for name, value in optimizer.state().items())
