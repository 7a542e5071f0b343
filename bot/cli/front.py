"""What every command shares: where the configuration lies, how the house is opened, how an error becomes one sentence."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import paper
from bot.config import DEFAULT_PATH, Settings, load_settings
from bot.core.errors import AiopsError

if TYPE_CHECKING:
    from bot.app import House
    from bot.flow.desk import Desk

START, LOOK, ACT, SETUP = "Start here", "Look", "Act and prove", "Set up"
WRONG, BUG, INTERRUPTED = 2, 70, 130

Json = Annotated[bool, typer.Option("--json", help="Print pure JSON for programs.")]


HELP = (
    "[bold]aiops[/] stands watch over machine-learning models in production, from Slack.\n\n"
    "It measures, opens [bold]one[/] incident thread when something is really wrong, proposes a remedy, waits for the right "
    "people, carries it out step by step, and checks on fresh data whether it helped."
)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the global options say."""

    config: Path = DEFAULT_PATH
    trace: bool = False


app = typer.Typer(
    name="aiops",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try [bold]aiops demo[/] first: a whole incident on real data, nothing to set up. "
    "Exit codes: 0 fine · 1 a problem was found · 2 an error you can mend · 3 unknown.",
)


@app.callback()
def everywhere(
    context: typer.Context,
    *,
    config: Annotated[Path, typer.Option("--config", "-c", envvar="AIOPS_CONFIG", help="The configuration file.")] = DEFAULT_PATH,
    trace: Annotated[bool, typer.Option("--trace", help="Show the whole trace of an error.")] = False,
) -> None:
    """Hold what every command shares."""
    context.obj = Shell(config, trace)


def shell(context: typer.Context) -> Shell:
    """Return what the global options say."""
    return context.obj if isinstance(context.obj, Shell) else Shell()


def settings(context: typer.Context) -> Settings:
    """Return the configuration.

    Raises:
        ConfigError: it is missing or wrong.
    """
    return load_settings(shell(context).config)


def folder(context: typer.Context) -> Path:
    """Return the folder of the configuration: playbooks and templates of one's own lie beside it."""
    return shell(context).config.absolute().parent


@contextmanager
def house(context: typer.Context) -> Iterator["House"]:
    """Open the house without Slack, for one command, quietly: what a library logs would spoil the answer."""
    from bot.app import open_house  # noqa: PLC0415  every room is behind this door; `aiops version` must not wait for them

    if not shell(context).trace and not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    with open_house(settings(context), folder=folder(context)) as opened:
        yield opened


@contextmanager
def desk(context: typer.Context) -> Iterator["Desk"]:
    """Open the house for one command and hand out its desk."""
    with house(context) as opened:
        yield opened.desk


def hoisted(arguments: Sequence[str] | None) -> list[str]:
    """Return the arguments with the global options in front, so that people may write them anywhere."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    given = ["version", *given[1:]] if given[:1] == ["--version"] else given  # as every other program has it
    end = given.index("--") if "--" in given else len(given)
    front: list[str] = []
    rest: list[str] = []
    words = iter(given[:end])
    for word in words:
        if word == "--trace" or word.startswith("--config="):
            front.append(word)
        elif word == "--config":
            front += [word, *(following for following in (next(words, None),) if following is not None)]
        else:
            rest.append(word)
    return [*front, *rest, *given[end:]]


def carried_out(command: Callable[..., Any], arguments: list[str]) -> int:
    """Run it and return the exit code; whatever goes wrong is one sentence on stderr."""
    trace = "--trace" in arguments
    try:
        code = command(arguments, standalone_mode=False, prog_name="aiops")
    except typer.TyperException as error:
        return _refused(error)
    except (KeyboardInterrupt, typer.Abort):
        paper.complain("Interrupted; nothing that was written is lost.")
        return INTERRUPTED
    except BrokenPipeError:  # `aiops … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the outermost edge: nobody is shown a trace that did not ask for it
        if trace:
            raise
        return _told(error)
    return code if isinstance(code, int) else 0


def _refused(error: typer.TyperException) -> int:
    message = error.format_message().strip()
    if message:  # no words: the help page was shown because a group was called without a command
        paper.complain(f"{message} See: aiops --help" if message.endswith(".") else f"{message}. See: aiops --help")
    return WRONG


def _told(error: Exception) -> int:
    if isinstance(error, AiopsError):
        paper.complain(str(error))
        return WRONG
    if isinstance(error, OSError) and error.filename:
        paper.complain(f"{error.filename}: {error.strerror}.")
        return WRONG
    paper.complain(f"This is a bug: {type(error).__name__}: {error}. See the whole trace with: aiops --trace …")
    return BUG
