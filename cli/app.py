"""`context-checkpoint` on the command line: the parser, the exit status and the printing.

What the commands do is in `commands.py` and the modules whose names end so. They are imported only once the arguments
are parsed, so that `--help` and a wrong argument answer at once and `doctor` runs where requirements are missing.
Results go to stdout, everything else to stderr. Exit status: 0 done, 1 failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .outcome import DONE, FAILED, WRONG_USE, CommandFailed, Outcome, WrongUse
from .parser import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the console script's and `python -m context_checkpoint`'s entry."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["demo"]:  # argparse.REMAINDER would still take an option that comes first
        return _demo(words[1:])
    arguments = build_parser().parse_args(words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a name still shows the rest
            stream.reconfigure(errors="backslashreplace")
    try:
        with _log_on_stderr(logging.DEBUG if arguments.debug else logging.WARNING):
            return _run(arguments)
    except BrokenPipeError:
        # `| head` has read enough. Python would fail at exit when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return 128 + 2
    except Exception as error:
        if arguments.debug:
            raise
        return _report(error)


@contextmanager
def _log_on_stderr(level: int) -> Iterator[None]:
    root, handler = logging.getLogger(), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("context-checkpoint: %(message)s"))
    former = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(former)


def _run(arguments: argparse.Namespace) -> int:
    outcome = _command(arguments.command)(arguments)
    if arguments.json:
        print(json.dumps(outcome.value, ensure_ascii=False, indent=2))
    elif outcome.text:
        print(outcome.text)
    sys.stdout.flush()
    _finish_recomputing()
    return DONE if outcome.good else FAILED


def _command(name: str) -> Callable[[argparse.Namespace], Outcome]:
    if name == "doctor":  # by itself, because it must run where what the others import is missing
        from .doctor.checks import doctor

        return doctor
    from . import commands, database_commands, image_commands, profile_commands, sharing_commands

    functions = {
        "recommend": commands.recommend,
        "parameter": commands.parameter,
        "negative": commands.negative,
        "loras": commands.loras,
        "feedback": commands.feedback,
        "stats": commands.stats,
        "explain": commands.explain,
        "export": commands.export,
        "import": commands.import_file,
        "import-images": image_commands.import_images,
        "share": sharing_commands.share,
        "adopt": sharing_commands.adopt,
        "copy": database_commands.copy,
        "join": database_commands.join,
        "forget": database_commands.forget,
        "backups": database_commands.backups,
        "settings": commands.settings,
        "profiles": profile_commands.profiles,
        "serve": commands.serve,
        "mcp": commands.mcp,
    }
    return functions[name]


def _finish_recomputing() -> None:
    """Recompute the statistics after an update: the task in the background ends with the command."""
    from ..runtime.process import current

    runtime = current()
    if runtime.is_open and runtime.run_blocking(lambda service: service.is_recomputing()):
        notice = "after an update or a join the statistics are recomputed; Ctrl+C leaves the rest to the next command"
        print(f"context-checkpoint: {notice}.", file=sys.stderr, flush=True)
        runtime.run_blocking(lambda service: service.recomputed())


def _report(error: Exception) -> int:
    """Print on stderr what went wrong and what to do next; the trace is for --debug."""
    from ..learning.errors import LearningError
    from ..learning.message import as_shown, error_text
    from ..learning.requirements import missing_requirement

    missing = missing_requirement(error) if isinstance(error, ImportError) else None
    if isinstance(error, WrongUse) or type(error) is ValueError:
        print(f"context-checkpoint: {as_shown(error_text(error))}", file=sys.stderr)
        return WRONG_USE
    if isinstance(error, LearningError | CommandFailed):
        message = as_shown(error_text(error))
    elif missing is not None:
        message = f"{missing.message} `context-checkpoint doctor` lists all that is needed."
    else:
        message = f"Failed unexpectedly ({type(error).__name__}: {error}). Run it with --debug to see where."
    print(f"context-checkpoint: {message}", file=sys.stderr)
    return FAILED


def _demo(arguments: Sequence[str]) -> int:
    from ..demo.play import main as demo

    return demo(list(arguments))


if __name__ == "__main__":
    sys.exit(main())
