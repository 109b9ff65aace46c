"""What `striate plan` found out."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One candidate's figures; times in seconds.

    Attributes:
        name: what it is; "default" is what training does by itself.
        words: options of `striate train` beside those given.
        network: its name, or its layers.
        height, width, channels: of its input.
        parameters: weights and biases.
        batch_size: pictures a step.
        step: a full batch, median; `step_low` and `step_high` are the quartiles.
        epoch: steps and validation.
        epochs: passes over the training part, at most.
        fixed: everything but the epochs.
        memory: bytes at the peak.
    """

    name: str
    words: tuple[str, ...]
    network: str
    height: int
    width: int
    channels: int
    parameters: int
    batch_size: int
    step: float
    step_low: float
    step_high: float
    epoch: float
    epochs: int
    fixed: float
    memory: int

    @property
    def total(self) -> float:
        """From the command to the model folder."""
        return self.fixed + self.epochs * self.epoch


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The table, and what it rests on.

    Attributes:
        estimates: the default first.
        source: name of the source.
        training, validation: pictures in these parts.
        sample: pictures decoded for each size.
        kept: whether the default finds decoded pictures in the cache.
        device, threads: where it was timed.
    """

    estimates: tuple[Estimate, ...]
    source: str
    training: int
    validation: int
    sample: int
    kept: bool
    device: str
    threads: int
