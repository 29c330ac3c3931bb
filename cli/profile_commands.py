"""`context-checkpoint profiles`: the settings of each checkpoint.

Separate from `commands`, because what a person sets is in the settings and most of the rest in files: where the
database cannot be opened, only what was learned is missing.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..api.profiles import profiles_with_learned
from ..api.schemas.profiles import ProfileResponse, profile_response, profiles_response
from ..checkpoints.inventory import CheckpointFiles
from ..checkpoints.pool import known_families
from ..checkpoints.profiles import FileProfiles, SamplerNames, of_name
from ..learning.names import shown_name, stored_name
from ..learning.profiles import Profile
from ..recipes.samplers import SAMPLERS, SCHEDULERS
from ..recipes.settings import LIMITS, NAMES, Settings
from ..runtime.process import configure, current
from ..runtime.settings import Settings as AllSettings
from .folder import FolderCheckpoints
from .outcome import Outcome, WrongUse


def profiles(arguments: argparse.Namespace) -> Outcome:
    if arguments.database is not None:
        configure(database=arguments.database)
    if (arguments.set or arguments.clear) and arguments.name is None:
        raise WrongUse("Name the checkpoint whose settings are to be changed.")
    settings = current().settings
    if arguments.set or arguments.clear:
        values = dict(_value(entry) for entry in arguments.set)
        settings = current().change_profile(arguments.name, values, clear=arguments.clear)
    files = _files(arguments.folder)
    names = [arguments.name] if arguments.name is not None else _names(files, settings)
    rows = tuple(
        profile_response(name, profile, settings.profiles.get(stored_name(name), Settings()))
        for name, profile in _profiles(names, files).items()
    )
    text = "\n\n".join(map(_text, rows)) or "No checkpoint has settings of its own. --folder DIR looks at files."
    if arguments.set or arguments.clear:
        return Outcome(rows[0].model_dump(mode="json"), text)
    response = profiles_response(rows, SamplerNames(SAMPLERS, SCHEDULERS))
    return Outcome(response.model_dump(mode="json"), text)


def _value(entry: str) -> tuple[str, object]:
    """Read NAME=VALUE. What is no number goes on as it is: the settings refuse it and say what may be chosen."""
    name, equals, text = entry.partition("=")
    if not equals or name not in NAMES:
        raise WrongUse(f"{entry!r} is not NAME=VALUE, for example steps=4. The names are: {', '.join(NAMES)}.")
    if not text.strip():
        return name, None
    if name not in LIMITS:
        return name, text
    try:
        number = float(text)
    except ValueError:
        return name, text
    return name, int(number) if name != "cfg" and number.is_integer() else number


def _files(folder: str | None) -> CheckpointFiles | None:
    if folder is None:
        return None
    if not Path(folder).is_dir():
        raise WrongUse(f"{folder} is not a folder.")
    return CheckpointFiles(FolderCheckpoints(Path(folder)), store=None)


def _names(files: CheckpointFiles | None, settings: AllSettings) -> list[str]:
    here = files.names() if files is not None else ()
    return list(dict.fromkeys([*map(stored_name, here), *settings.profiles]))


def _profiles(names: Sequence[str], files: CheckpointFiles | None) -> Mapping[str, Profile]:
    read = FileProfiles(files).of if files is not None else of_name
    families = known_families(files.list()) if files is not None else {}
    found = {name: read(name) for name in names}
    return asyncio.run(profiles_with_learned(current(), "", found, lambda: families))


def _text(row: ProfileResponse) -> str:
    values = row.settings.model_dump(exclude_none=True)
    shown = {name: f"{value:g}" if name == "cfg" else shown_name(str(value)) for name, value in values.items()}
    width = max(map(len, shown.values()), default=0)
    lines = [f"  {name:9}  {value:{width}}  ({row.sources[name]})" for name, value in shown.items()]
    problems = [f"  not used: {problem}" for problem in row.problems]
    return "\n".join([shown_name(row.checkpoint), *(lines or ["  nothing is known"]), *problems])
