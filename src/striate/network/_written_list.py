"""Networks written as YAML lists, turned into the notation of one line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.errors import NetworkError
from striate.network._vocabulary import POSITIONAL

_EXAMPLE = "such as 'conv 32 3 pad 1', 'relu' or 'conv: {channels: 32, kernel: 3}'"


def read_list(path: Path) -> str:
    """Return the network in a YAML file on one line.

    The file holds a list: each item is a layer's words, or a mapping from the layer's word to its
    values (`conv: 32 3`, `conv: {channels: 32, kernel: [3, 5], bias: off}`). Blocks are mappings to
    lists: `residual: [conv 8 3 pad 1, relu]`, `residual: {body: […], shortcut: […]}`,
    `parallel: [[…], […]]`.

    Raises NetworkError where the file can't be read or isn't such a list.
    """
    import yaml

    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NetworkError(f"{path}: can't be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = str(getattr(error, "problem_mark", "") or "").strip()
        raise NetworkError(f"{path}: not a YAML file striate can read. {where}".rstrip()) from error
    return one_line(tree, str(path))


def one_line(tree: Any, where: str) -> str:
    """Return a list of layers on one line; `where` it stands begins the message of errors."""
    if not isinstance(tree, list) or not tree:
        raise NetworkError(f"{where}: expected a list of layers, {_EXAMPLE}, got {_shown(tree)}.")
    return " | ".join(_item(item, f"{where}, item {n}") for n, item in enumerate(tree, start=1))


def _item(item: Any, where: str) -> str:
    if isinstance(item, str) and item.strip():
        return item.strip()
    if not isinstance(item, Mapping) or len(item) != 1:
        raise NetworkError(f"{where}: expected one layer, {_EXAMPLE}, got {_shown(item)}.")
    ((word, value),) = item.items()
    match str(word), value:
        case "residual", Mapping():
            return _residual(value, where)
        case "residual", _:
            return f"residual ( {one_line(value, where)} )"
        case "parallel", _:
            branches = value if isinstance(value, list) else [value]
            inside = (one_line(v, f"{where}, branch {n}") for n, v in enumerate(branches, start=1))
            return f"parallel ( {' ; '.join(inside)} )"
        case name, Mapping():
            return _options(name, value, where)
        case name, None:
            return name
    return f"{word} {_value(value, where)}"


def _residual(value: Mapping[Any, Any], where: str) -> str:
    if "body" not in value or not value.keys() <= {"body", "shortcut"}:
        raise NetworkError(
            f"{where}: residual takes 'body' and 'shortcut', got {', '.join(map(str, value))}."
        )
    branches = [one_line(value["body"], f"{where}, body")]
    if value.get("shortcut"):
        branches.append(one_line(value["shortcut"], f"{where}, shortcut"))
    return f"residual ( {' ; '.join(branches)} )"


def _options(word: str, values: Mapping[Any, Any], where: str) -> str:
    """Return a layer whose values are given by name."""
    first = POSITIONAL.get(word, ())
    missing = [name for name in first if name not in values]
    if missing:
        raise NetworkError(f"{where}: {word} needs '{missing[0]}'.")
    words = [word, *(_value(values[name], where) for name in first)]
    for name, value in values.items():
        if name == "ceil" and isinstance(value, bool):
            words += ["ceil"] if value else []
        elif name not in first:
            words += [str(name), _value(value, where)]
    return " ".join(words)


def _value(value: Any, where: str) -> str:
    """Return a value as it is written on one line; YAML reads on and off as true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return "x".join(_value(one, where) for one in value)
    if isinstance(value, int | float | str):
        return str(value)
    raise NetworkError(f"{where}: expected a number or a word, got {_shown(value)}.")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
