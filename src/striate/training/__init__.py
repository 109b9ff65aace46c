"""Training: settings, the rules for what the user left open, and the loop.

Importing this package imports no PyTorch; the loop's modules do.
"""

from striate.training._choice import Choice
from striate.training._config import (
    make_settings,
    merge,
    parse_assignments,
    read_config,
    setting_names,
    write_config,
)
from striate.training._defaults import choose, choose_precision, rate_is_a_guess
from striate.training._events import Epoch, Listener, Silent, Step
from striate.training._facts import Facts
from striate.training._interrupt import Stop, stoppable, stopped_at_once
from striate.training._recipes import Recipe, recipe, recipes
from striate.training._settings import Settings
from striate.training._start import NO_WEIGHTS, choose_start

__all__ = [
    "NO_WEIGHTS",
    "Choice",
    "Epoch",
    "Facts",
    "Listener",
    "Recipe",
    "Settings",
    "Silent",
    "Step",
    "Stop",
    "choose",
    "choose_precision",
    "choose_start",
    "make_settings",
    "merge",
    "parse_assignments",
    "rate_is_a_guess",
    "read_config",
    "recipe",
    "recipes",
    "setting_names",
    "stoppable",
    "stopped_at_once",
    "write_config",
]
