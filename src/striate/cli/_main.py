"""The program `striate`: its commands, and what happens when one of them fails.

Nothing heavier than Typer is imported here or at the top of a command's file: `--help` must answer
at once.
"""

import sys
from importlib import import_module

import typer

from striate.cli._output import close_quietly, note
from striate.errors import StriateError

COMMANDS = ("train", "predict", "evaluate", "verify", "summary", "networks", "datasets")


def make_app() -> typer.Typer:
    """Return the Typer application with all commands, in the order of their use."""
    app = typer.Typer(
        name="striate",
        help="From a folder of pictures to a trained, explained and shippable convolutional "
        "network in one command.",
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_version)
    for name in COMMANDS:
        app.command(name)(getattr(import_module(f"striate.cli.{name}"), name))
    return app


def _version(
    version: bool = typer.Option(False, "--version", help="Show the version.", is_eager=True),
) -> None:
    if version:
        from striate._version import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line and leave with its exit code (docs/commands.md lists them)."""
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
        note(f"striate: {error}")
        code = error.exit_code
    except BrokenPipeError:
        close_quietly()
        code = 0
    except KeyboardInterrupt:
        note("striate: stopped.")
        code = 130
    sys.exit(code)
