"""The program `striate`: its commands, and what happens when one of them fails.

Nothing heavier than Typer is imported here or at the top of a command's file: `--help` must answer
at once.
"""

import atexit
import gc
import io
import signal
import sys
from importlib import import_module
from typing import Annotated

import typer

from striate._launch import process
from striate._version import __version__
from striate.cli._output import close_quietly, note, out
from striate.errors import StoppedError, StriateError

COMMANDS = (
    "check",
    "train",
    "plan",
    "predict",
    "evaluate",
    "verify",
    "summary",
    "arithmetic",
    "augment",
    "lr-find",
    "networks",
    "datasets",
    "cache",
)

TRAINING_PACKAGES = (
    "torch",
    "pydantic",
    "yaml",
    "cv2",
    "safetensors",
    "onnx",
    "scipy",
    "threadpoolctl",
)
"""What commands may miss where striate was installed for prediction only."""


def make_app() -> typer.Typer:
    """Return the Typer application with all commands, in the order of their use."""
    app = typer.Typer(
        name="striate",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(invoke_without_command=True)(_start)
    for name in COMMANDS:
        function = name.replace("-", "_")
        app.command(name)(getattr(import_module(f"striate.cli.{function}"), function))
    return app


def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """From a folder of pictures to a trained, explained and shippable convolutional network."""
    if version:
        out(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        out(context.get_help())


def _stopped_within(error: BaseException) -> StoppedError | None:
    """Return the second Ctrl-C that a library, being imported, turned into an ImportError."""
    before: BaseException | None = error
    while before is not None and not isinstance(before, StoppedError):
        before = before.__cause__ or before.__context__
    return before


def main() -> None:
    """Run the command line and leave with its exit code (docs/commands.md lists them)."""
    # Names of files may hold bytes that are no text; printing them must not fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = make_app()(standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except typer.Abort:
        note("striate: stopped.")
        code = 130
    except typer.TyperException as error:
        note(
            f"striate: {error.format_message()}\n`striate --help` and `striate COMMAND --help` list all."
        )
        code = error.exit_code
    except StriateError as error:
        which = f" (process {process()})" if process() else ""
        note(f"striate{which}: {error}")
        code = error.exit_code
    except ImportError as error:
        if stopped := _stopped_within(error):
            note(f"striate: {stopped}")
            sys.exit(stopped.exit_code)
        package = (error.name or "").partition(".")[0]
        if not isinstance(error, ModuleNotFoundError) or package not in TRAINING_PACKAGES:
            raise
        note(
            f"striate: this needs the package '{package}', which isn't installed. "
            "Install what training needs: pip install 'striate[train]'"
        )
        code = 2
    except (BrokenPipeError, SystemExit):
        # Typer answers a pipe that nobody reads any more with sys.exit(1); to us it is no fault.
        close_quietly()
        code = 0
    except KeyboardInterrupt:
        note("striate: stopped.")
        code = 130
    # Or Python looks through all objects once more before it ends: after training `digits`, on 2
    # cores with a load of 9, leaving took 3.6 s, and with this 0.9 to 1.1 s.
    gc.freeze()
    # All is done then: a Ctrl-C while Python ends, which takes a while, ends it silently.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)
