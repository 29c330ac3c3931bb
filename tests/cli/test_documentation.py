"""docs/command-line.md says what the parser takes, all of it, and nothing else."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from context_checkpoint.cli.parser import build_parser

DOCS = Path(__file__).parents[2] / "docs" / "command-line.md"
EVERYWHERE = {"--help", "--database", "--json", "--debug"}


def sections() -> dict[str, str]:
    return dict(re.findall(r"^## (\S+)$(.*?)(?=^## |\Z)", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def commands() -> dict[str, argparse.ArgumentParser]:
    [action] = [action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(action.choices)


def test_every_command_has_its_section() -> None:
    """In the parser's order."""
    assert list(sections()) == list(commands())


def test_every_option_is_in_its_commands_table_and_no_other() -> None:
    """The common ones are described once, at the top."""
    for name, parser in commands().items():
        options = {option for action in parser._actions for option in action.option_strings if option[:2] == "--"}
        rows = [line for line in sections()[name].splitlines() if line.startswith("| `--")]
        documented = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row.split("|")[1])}
        assert documented == options - EVERYWHERE, name


def test_the_common_options_are_described() -> None:
    """Before the first command."""
    top = DOCS.read_text("utf-8").split("\n## ")[0]

    assert set(re.findall(r"^\| `(--[a-z]+)", top, re.MULTILINE)) == EVERYWHERE - {"--help"}
