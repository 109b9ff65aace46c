"""The command line: each command is one file that parses, calls one function and prints."""

from striate.cli._begun import BEGUN  # first: the clock starts
from striate.cli._main import main

__all__ = ["BEGUN", "main"]
