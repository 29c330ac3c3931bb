"""The commands on a database as a whole: copy it, join two checkpoints in it, forget something.

Separate from `commands`, which use what was learned, because these may open other databases than the runtime's.
"""

from __future__ import annotations

import argparse
import asyncio

from ..api.schemas.backups import BackupsResponse
from ..api.schemas.exchange import ImportResponse
from ..api.schemas.forget import ForgetResponse
from ..learning.database import engines
from ..learning.database.database import utc_now
from ..learning.database.files.backups import described as copies_of
from ..learning.names import shown_name
from ..learning.reports import FileChange, Forgotten, ImportReport
from ..learning.service.service import PreferenceService
from ..learning.service.settings import LearningSettings
from ..runtime.process import configure, current
from ..runtime.runtime import Runtime
from ..runtime.settings import MOST_DAYS
from .doctor.report import copy_line
from .outcome import CommandFailed, Outcome, WrongUse


def copy(arguments: argparse.Namespace) -> Outcome:
    if arguments.database is not None:
        raise WrongUse("copy names both of its databases itself; leave --database out.")
    source, target = engines.parse(arguments.source), engines.parse(arguments.target)
    file = engines.file_of(source)
    if file is not None and not file.is_file():
        raise CommandFailed(f"{file} does not exist. Name the database to copy from.")
    if (file or source) == (engines.file_of(target) or target):
        raise WrongUse("FROM and TO are the same database.")
    keep_prompts = current().settings.keep_prompts
    if (target_file := engines.file_of(target)) is not None:  # its owner's settings lie beside it
        keep_prompts = keep_prompts and Runtime(target_file.parent).settings.keep_prompts
    report = asyncio.run(_copy(arguments.source, arguments.target, keep_prompts=keep_prompts))
    response = ImportResponse.model_validate(report)
    counts = f"{response.added:,} new, {response.verdicts_replaced:,} verdicts replaced"
    return Outcome(response.model_dump(mode="json"), f"{response.generations:,} generations: {counts}.")


def join(arguments: argparse.Namespace) -> Outcome:
    if arguments.database is not None:
        configure(database=arguments.database)
    current().run_blocking(lambda service: service.join_checkpoints(arguments.former, arguments.name))
    current().follow([FileChange("moved", arguments.former, arguments.name)])
    text = f"What was learned of {shown_name(arguments.former)} now counts for {shown_name(arguments.name)}."
    return Outcome({"former": arguments.former, "name": arguments.name}, text)


def forget(arguments: argparse.Namespace) -> Outcome:
    if arguments.everything != arguments.yes:
        raise WrongUse("--everything and --yes belong together: all that was learned would be gone for good.")
    if arguments.older_than is not None and not 0 <= arguments.older_than <= MOST_DAYS:
        raise WrongUse(f"--older-than takes 0 to {MOST_DAYS} days.")

    async def forget_in(service: PreferenceService) -> Forgotten:
        if arguments.generation is not None:
            return await service.forget_generation(arguments.generation)
        if arguments.keyword is not None:
            return await service.forget_keyword(arguments.keyword)
        if arguments.older_than is not None:
            return await service.forget_older(arguments.older_than)
        return await (service.forget_prompts() if arguments.prompts else service.forget_everything())

    if arguments.database is not None:
        configure(database=arguments.database)
    response = ForgetResponse.model_validate(current().run_blocking(forget_in))
    lines = [f"Forgotten, in {response.generations:,} generations."]
    lines += [
        f"{shown_name(file)} may still hold traces, since another program has it open." for file in response.traces
    ]
    if response.traces:
        lines.append("Close that program and delete copies by hand; the database is cleared by the next forgetting.")
    return Outcome(response.model_dump(mode="json"), "\n".join(lines), good=not response.traces)


def backups(arguments: argparse.Namespace) -> Outcome:
    """Reads the files only, so that it also works where the database cannot be opened."""
    if arguments.database is not None:
        configure(database=arguments.database)
    file = engines.file_of(engines.parse(current().database))
    if file is None:
        raise CommandFailed(f"{current().database_name} is a server: its backups are its administrator's task.")
    copies = copies_of(file, utc_now())
    response = BackupsResponse.model_validate({"backups": copies})
    lines = [copy_line(copy) for copy in copies] or [f"{file} has no copy yet; the next verdict makes one."]
    return Outcome(response.model_dump(mode="json"), "\n".join(lines))


async def _copy(source: str, target: str, *, keep_prompts: bool) -> ImportReport:
    sender = await PreferenceService.open(source)
    try:
        receiver = await PreferenceService.open(target, settings=LearningSettings(keep_prompts=keep_prompts))
        try:
            return await receiver.import_lines(sender.export())
        finally:
            await receiver.close()
    finally:
        await sender.close()
