"""Settings from files and options: merged, checked, and refused with the nearest right word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from striate._files import write_file
from striate.errors import UsageError, nearest
from striate.network import networks, written_line
from striate.training._settings import NetworkSettings, Settings

Tree = dict[str, Any]

LENGTHS = ("epochs", "minutes", "steps")
"""Settings under `training` that say how long a run is."""

OPTIONS = {
    "data.channels": "--channels",
    "data.exclude": "--exclude",
    "data.group": "--group",
    "data.image_size": "--image-size",
    "data.task": "--task",
    "network.fine_tune": "--fine-tune",
    "network.freeze": "--freeze",
    "network.name": "--network",
    "network.weights": "--weights",
    "optimizer.learning_rate": "--learning-rate",
    "training.batch_size": "--batch-size",
    "training.device": "--device",
    "training.epochs": "--epochs",
    "training.minutes": "--minutes",
    "training.samples": "--samples",
    "training.seed": "--seed",
    "training.threads": "--threads",
}
"""Settings that have an option of their own: letters name both."""


def read_config(path: Path) -> Tree:
    """Return the tree of settings in a YAML file.

    Raises:
        UsageError: the file is missing, isn't YAML, or isn't groups of settings.
    """
    import yaml

    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: can't be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = str(getattr(error, "problem_mark", "") or "").strip()
        raise UsageError(f"--config {path}: not a YAML file striate can read. {where}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict) or not all(
        isinstance(group, dict) or group is None for group in tree.values()
    ):
        raise UsageError(
            f"--config {path}: expected groups of settings ({', '.join(Settings.model_fields)}), "
            "each with its keys below it."
        )
    return {str(name): dict(group or {}) for name, group in tree.items()}


def write_config(settings: Settings, path: Path) -> None:
    """Write settings as YAML that `read_config` reads back to equal settings."""
    import yaml

    tree = settings.model_dump(mode="json")
    write_file(path, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def parse_assignments(assignments: Sequence[str]) -> Tree:
    """Return the tree for `--set group.key=value` words; values are read as YAML.

    >>> parse_assignments(["training.batch_size=64", "network.widths=[32, 64]"])
    {'training': {'batch_size': 64}, 'network': {'widths': [32, 64]}}

    Raises:
        UsageError: a word isn't `group.key=value`.
    """
    import yaml

    tree: Tree = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        keys = path.strip().split(".")
        if not equals or len(keys) < 2 or not all(keys):
            raise UsageError(
                f"--set expects group.key=value, as in training.batch_size=64; it got '{assignment}'."
            )
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {path}: the value '{text}' can't be read.") from error
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = value
    return tree


def merge(*trees: Mapping[str, Any]) -> Tree:
    """Return one tree; later trees win, groups are merged key by key."""
    merged: Tree = {}
    for tree in trees:
        for key, value in tree.items():
            known = merged.get(key)
            if isinstance(known, Mapping) and isinstance(value, Mapping):
                value = merge(known, value)
            merged[key] = value
    return merged


def make_settings(*trees: Mapping[str, Any]) -> Settings:
    """Return checked settings from trees of which later ones win.

    A key under `network` that isn't a setting is one of the network's own options. How long to
    train is said by one tree, the last that says so.

    Raises:
        UsageError: every mistake at once, each with the nearest right key.
    """
    tree: Tree = {}
    for one in trees:
        tree = merge(_without_length(tree) if _length(one) else tree, one)
    network = tree.get("network")
    if isinstance(network, dict):
        known = NetworkSettings.model_fields
        own = {key: value for key, value in network.items() if key not in known}
        _refuse_typos(own)
        rest = {key: value for key, value in network.items() if key in known}
        if isinstance(rest.get("name"), list):
            rest["name"] = written_line(rest["name"], "network.name")
        options = rest.get("options") or {}
        tree["network"] = {**rest, "options": {**options, **own}} if own else rest
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise UsageError("\n".join(_letters(error))) from error


def _refuse_typos(own: Mapping[str, Any]) -> None:
    """Raise UsageError for a key that is no option of any network, but nearly a setting's name.

    What is nearly an option is refused where the network is known, with its options.
    """
    options = {option.name for one in networks() for option in one.options}
    fields = NetworkSettings.model_fields
    for key in own:
        near = nearest(key, [*fields, *options]) if key not in options else ""
        if any(f"'{field}'" in near for field in fields):
            raise UsageError(_no_setting(f"network.{key}"))


def _no_setting(name: str) -> str:
    return f"There is no setting called '{name}'.{_near(name)} docs/settings.md lists all."


def _length(tree: Mapping[str, Any]) -> list[str]:
    """Return the keys by which a tree says how long to train; raise UsageError where they disagree.

    The steps of a run's config.yaml belong to its minutes.
    """
    group = tree.get("training")
    said = [key for key in LENGTHS if group.get(key)] if isinstance(group, Mapping) else []
    if len(said) > 1 and said[0] == "epochs":
        names = [f"training.{key}" for key in said[:2]]
        first, second = (f"{OPTIONS[name]} ({name})" if name in OPTIONS else name for name in names)
        raise UsageError(f"{first} and {second} both say how long to train. Leave one of them out.")
    return said


def _without_length(tree: Tree) -> Tree:
    if not isinstance(tree.get("training"), Mapping):
        return tree
    return {**tree, "training": {k: v for k, v in tree["training"].items() if k not in LENGTHS}}


def _letters(error: ValidationError) -> Iterator[str]:
    seen = set()
    for one in error.errors():
        keys = [str(key) for key in one["loc"]]
        is_unknown = one["type"] == "extra_forbidden"
        name = ".".join(keys) if is_unknown else _setting_name(keys)
        if name in seen:  # pydantic tells every branch of a union
            continue
        seen.add(name)
        if is_unknown:
            yield _no_setting(name)
        else:
            came = one.get("input")
            option = f"{OPTIONS[name]} ({name})" if name in OPTIONS else name
            near = nearest(str(came), _choices(one)) if _choices(one) else ""
            yield f"{option} = {came!r}: {_expected(one['type'], one['msg'], came)}.{near}"


def _near(name: str) -> str:
    """Look for the nearest right word among the group's own keys first, then everywhere."""
    if "." not in name:
        return nearest(name, Settings.model_fields)
    names = list(_names(Settings))
    group = name.rpartition(".")[0] + "."
    return nearest(name, [own for own in names if own.startswith(group)]) or nearest(name, names)


def _setting_name(keys: list[str]) -> str:
    """Leave out what pydantic adds to a location for the branches of a union."""
    known = set(_names(Settings)) | set(Settings.model_fields)
    for length in range(len(keys), 0, -1):
        name = ".".join(keys[:length])
        if name in known:
            return name
    return ".".join(keys)


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def _choices(error: ErrorDetails) -> list[str]:
    """Return the words that a setting takes, where it takes words."""
    return re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))


def _expected(kind: str, message: str, came: object) -> str:
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return "expected a whole number"
    if kind in ("float_parsing", "float_type"):
        return "expected a number"
    if kind == "list_type":
        return "expected a list" + (f", such as [{came}]" if isinstance(came, int | float) else "")
    return message[0].lower() + message[1:]


def setting_names() -> list[str]:
    """Return every setting as `group.key`, in order."""
    return list(_names(Settings))
