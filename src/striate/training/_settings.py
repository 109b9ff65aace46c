"""All settings of a run: one model, seven groups, nothing else is accepted.

`None` means "chosen from the data" by the rules in `_start` and `_defaults`; what was chosen is
written back before training starts, so `config.yaml` in the run folder repeats the run.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(ge=0, lt=1)]
Pixels = Annotated[int, Field(ge=1, le=8192)]
NotNegative = Annotated[float, Field(ge=0)]


Decisions = list[tuple[Annotated[int, Field(ge=0)], PositiveInt]]


def _in_order(decisions: Decisions) -> Decisions:
    """Return (steps done, steps in all), made one after another and each before its own end."""
    since = [done for done, _ in decisions]
    ordered = since == sorted(set(since)) and since[:1] in ([], [0])
    if not ordered or any(total <= done for done, total in decisions):
        raise PydanticCustomError(
            "decisions",
            "expected pairs of steps done, which begin with 0 and rise, and steps in all, which are "
            "more",
        )
    return decisions


class Group(BaseModel):
    """A group of settings: unknown keys and numbers that aren't finite are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_assignment=True)


class DataSettings(Group):
    """What to train on, and how pictures become pixels."""

    source: str = Field(
        default="", description="folder, CSV, .npz, IDX folder or a data set's name"
    )
    task: Literal["classification", "multi-label", "regression"] | None = Field(
        default=None, description="the task; found from the data by default"
    )
    images: Path | None = Field(default=None, description="folder in which a table's pictures lie")
    target: list[str] = Field(default=[], description="columns of a table to predict")
    group: str | None = Field(default=None, description="column whose values stay in one part")
    split: str | dict[Literal["train", "val", "validation", "test"], Path] | None = Field(
        default=None, description="column that names each row's part, or a file of names per part"
    )
    validation: Share = Field(default=0.2, description="share of the training data held out")
    data_folder: Path | None = Field(default=None, description="where named data sets lie")
    image_size: Pixels | tuple[Pixels, Pixels] | None = Field(
        default=None, description="height and width of the network's input, in pixels"
    )
    channels: Literal[1, 3, "red", "green", "blue"] | None = Field(
        default=None, description="1 (grey), 3 (colour), or one channel of RGB by its name"
    )
    background: Annotated[int, Field(ge=0, le=255)] = Field(
        default=255, description="grey level that shows through transparent pixels"
    )
    margin: Annotated[int, Field(ge=0, le=1024)] | None = Field(
        default=None,
        description="pixels kept around the input for crops and warps, cut off for prediction",
    )
    max_pixels: PositiveInt = Field(
        default=40_000_000, description="larger pictures are refused before they are decoded"
    )
    resize: Literal["crop", "squash", "pad"] | None = Field(
        default=None, description="how a picture is brought to the input's shape"
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(
        default=None, description="how pixels are resampled, with antialiasing"
    )
    mean: list[float] | Literal["computed", "weights"] | None = Field(
        default=None,
        description="subtracted per channel, as a fraction of 255; or computed; or the weights' own",
    )
    deviation: list[PositiveFloat] | Literal["computed", "weights"] | None = Field(
        default=None,
        description="divided by per channel, as a fraction of 255; or computed; or the weights' own",
    )
    allow_unreadable: bool = Field(
        default=False, description="go on with over 20 % unreadable pictures"
    )
    strict: bool = Field(default=False, description="stop at the first fault (docs/check.md)")
    exclude: Path | None = Field(
        default=None, description="file of names to leave out, one a line (striate check --labels)"
    )
    cache: bool = Field(
        default=True, description="keep decoded pictures for the next run (striate cache)"
    )


class InitialisationSettings(Group):
    """Start values per layer kind; names in docs/training.md."""

    convolution: str = Field(
        default="default", description="how kernels are drawn (docs/training.md)"
    )
    dense: str = Field(default="default", description="how dense weights are drawn")
    bias: str = Field(default="default", description="biases: default, zeros or constant")
    first: Literal["default", "whitening"] = Field(
        default="default",
        description="first convolution: as the others, or whitening: from the training pictures, "
        "then frozen",
    )
    deviation: PositiveFloat = Field(default=0.01, description="standard deviation of 'normal'")
    constant: float = Field(default=0.0, description="the value of 'constant'")


class HeadSettings(Group):
    """What makes logits of a backbone's features: pooling, dense layers with ReLU, dropout."""

    pooling: Literal["average", "max", "flatten"] | None = Field(
        default=None, description="what makes a vector of the map; none: the network's own"
    )
    known_classes: NonNegativeInt | None = Field(
        default=None,
        description="classes of the weights' own classifier, whose answers are features too; none: "
        "decided (docs/pretrained.md)",
    )
    dense: list[PositiveInt] | None = Field(
        default=None,
        description="units of the dense layers before the last, [] for none; none: the network's own",
    )
    dropout: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="probability, at each of these layers; none: the network's own",
    )


class NetworkSettings(Group):
    """Which network, with its own options (`striate networks` lists them)."""

    name: str | None = Field(
        default=None,
        description="a name of `striate networks`, or layers on one line or in a YAML file",
    )
    options: dict[str, Any] = Field(default={}, description="the network's own options")
    weights: str | None = Field(
        default=None,
        description="pretrained: package, timm, timm:NAME, a file, or none (docs/transfer.md)",
    )
    freeze: bool | None = Field(
        default=None, description="keep the pretrained backbone, and train the head on its features"
    )
    fine_tune: Literal["auto", "always", "never"] | None = Field(
        default=None,
        description="after the head, train the whole network; auto: where validation says it pays",
    )
    batch_norm: Literal["kept", "trained"] = Field(
        default="kept", description="batch norms' statistics, while pretrained weights are trained"
    )
    head: HeadSettings = HeadSettings()
    initialisation: InitialisationSettings = InitialisationSettings()
    views: Literal[1, 2, 6] = Field(
        default=1,
        description="views of a picture whose logits the model averages: 2: mirrored too; 6: both, "
        "also moved by a pixel",
    )

    @property
    def all_options(self) -> dict[str, Any]:
        """The network's own options, with those of the head that are given."""
        return {**self.options, **self.head.model_dump(exclude_none=True)}


class TrainingSettings(Group):
    """How long, with what, and where."""

    epochs: PositiveInt | None = Field(default=None, description="passes over the training part")
    minutes: PositiveFloat | None = Field(
        default=None, description="instead of epochs: how long the whole run should take"
    )
    steps: Annotated[Decisions, AfterValidator(_in_order)] = Field(
        default=[],
        description="what `minutes` came to: steps done, and how many in all were then decided on",
    )
    batch_size: PositiveInt | None = Field(default=None, description="pictures per step")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="of everything random"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="where to train"
    )
    threads: PositiveInt | None = Field(
        default=None, description="CPU threads; by default all there are"
    )
    precision: Literal["auto", "float32", "bfloat16"] | None = Field(
        default=None, description="what steps compute with (docs/training.md); auto: as none given"
    )
    average: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="decay of the weights' moving average, which is then judged and shipped; e.g. 0.999",
    )
    patience: PositiveInt | None = Field(
        default=None,
        description="epochs without improvement before stopping; none: never stop early",
    )
    checkpoint_seconds: NotNegative = Field(
        default=30, description="at most so much work is lost by a crash (docs/checkpoints.md)"
    )
    samples: Literal["own", "synthetic", "none"] = Field(
        default="own", description="pictures put in the model folder to verify it with"
    )


class AugmentationSettings(Group):
    """How training pictures are varied; validation and test pictures never are."""

    rotation: NotNegative | None = Field(default=None, description="up to ± this many degrees")
    shift: NotNegative | None = Field(
        default=None, description="up to ± this fraction of each side"
    )
    shear: NotNegative | None = Field(default=None, description="up to ± this many degrees")
    zoom: Share | None = Field(
        default=None, description="0.2 means a factor of 0.8 to 1.2 per axis"
    )
    horizontal_flip: bool | None = Field(
        default=None, description="exchange left and right in every other epoch"
    )
    vertical_flip: bool | None = Field(
        default=None, description="exchange top and bottom, half of the time"
    )
    crop: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="pad by this many pixels, then crop at random"
    )
    brightness: Share | None = Field(default=None, description="0.2 means a factor of 0.8 to 1.2")
    contrast: Share | None = Field(default=None, description="0.2 means a factor of 0.8 to 1.2")
    saturation: Share | None = Field(default=None, description="0.2 means a factor of 0.8 to 1.2")
    erase: Share | None = Field(
        default=None, description="largest share of the picture's area that one rectangle erases"
    )
    resized_crop: Share | None = Field(
        default=None,
        description="smallest share of the area that a random crop, brought back to size, keeps",
    )
    hue: Annotated[float, Field(ge=0, le=0.5)] | None = Field(
        default=None, description="up to ± this fraction of the colour circle"
    )
    blur: NotNegative | None = Field(
        default=None, description="largest deviation of a Gaussian blur, in pixels"
    )
    noise: Share | None = Field(
        default=None, description="largest deviation of Gaussian noise, as a fraction of 255"
    )
    mixup: NotNegative | None = Field(
        default=None, description="alpha of the Beta distribution that two pictures are mixed by"
    )
    cutmix: NotNegative | None = Field(
        default=None,
        description="alpha of the Beta distribution of the area that another picture fills",
    )
    fill: Literal["nearest", "reflect", "wrap", "constant"] = Field(
        default="nearest", description="what comes in from outside the picture"
    )
    fill_value: Annotated[int, Field(ge=0, le=255)] = Field(
        default=0, description="grey level of fill 'constant'"
    )


class LossSettings(Group):
    """The loss, which takes logits."""

    name: str | None = Field(default=None, description="a loss of docs/training.md")
    label_smoothing: Share = Field(default=0.0, description="cross-entropy: share spread evenly")
    class_weights: Literal["balanced"] | list[PositiveFloat] | None = Field(
        default=None, description="cross-entropy: a weight per class, or balanced"
    )
    delta: PositiveFloat | None = Field(default=None, description="huber: where it turns linear")


class OptimizerSettings(Group):
    """The optimizer; options left out are the optimizer's own defaults."""

    name: str | None = Field(default=None, description="an optimizer of docs/training.md")
    learning_rate: PositiveFloat | None = Field(default=None, description="the (largest) rate")
    weight_decay: NotNegative | None = Field(
        default=None, description="decoupled for AdamW and Muon, else L2"
    )
    betas: tuple[Share, Share] | None = Field(default=None, description="Adam, AdamW, Muon")
    eps: PositiveFloat | None = Field(default=None, description="added to the denominator")
    amsgrad: bool | None = Field(default=None, description="Adam, AdamW")
    momentum: Share | None = Field(default=None, description="SGD, RMSprop, Muon")
    nesterov: bool | None = Field(default=None, description="SGD, Muon")
    alpha: Share | None = Field(default=None, description="RMSprop's smoothing")
    keep_norm: bool | None = Field(
        default=None, description="Muon: kernels keep their norm instead of decaying"
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="each layer of a backbone learns at the rate of the next one, times this",
    )
    bias_rate: PositiveFloat = Field(
        default=1.0, description="times the learning rate: biases and batch norm's scales"
    )
    head_rate: PositiveFloat = Field(
        default=1.0, description="times the learning rate: the last layer's weights"
    )


class ScheduleSettings(Group):
    """The learning rate's course."""

    name: str | None = Field(default=None, description="a schedule of docs/training.md")
    pct_start: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="one-cycle: share of the steps in which the rate rises"
    )
    div_factor: PositiveFloat | None = Field(
        default=None, description="one-cycle: largest rate / first rate"
    )
    final_div_factor: PositiveFloat | None = Field(
        default=None, description="one-cycle: first rate / last rate"
    )
    warmup: Share | None = Field(
        default=None, description="cosine, linear: share of the steps spent rising"
    )
    factor: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="plateau: the rate is multiplied by this"
    )
    patience: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="plateau: epochs without a better value that are borne"
    )
    min_lr: NotNegative | None = Field(default=None, description="plateau: never below")
    mode: Literal["min", "max"] | None = Field(
        default=None, description="plateau: min watches the validation loss, max its metric"
    )


class Settings(Group):
    """Everything that decides a run."""

    data: DataSettings = DataSettings()
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
