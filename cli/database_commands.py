"""The commands that look after a database as a whole: carrying it elsewhere, taking something back.

Apart from `commands`, which ask what was learned, because these may open other databases than the runtime's.
"""

from __future__ import annotations

import argparse
import asyncio

from ..api.schemas.exchange import ImportResponse
from ..api.schemas.forget import ForgetResponse
from ..learning.database import engines
from ..learning.reports import Forgotten, ImportReport
from ..learning.service.service import PreferenceService
from ..runtime.process import configure, current
from ..runtime.settings import MOST_DAYS
from .outcome import CommandFailed, Outcome, WrongUse


def copy(given: argparse.Namespace) -> Outcome:
    if given.database is not None:
        raise WrongUse("copy names both of its databases itself; leave --database out.")
    source, target = engines.parse(given.source), engines.parse(given.target)
    file = engines.file_of(source)
    if file is not None and not file.is_file():
        raise CommandFailed(f"{file} is not there. Name the database that holds what was taught.")
    if (file or source) == (engines.file_of(target) or target):
        raise WrongUse("FROM and TO are the same database.")
    report = asyncio.run(_copied(given.source, given.target))
    answer = ImportResponse.model_validate(report)
    counts = f"{answer.added:,} new, {answer.verdicts_replaced:,} verdicts replaced"
    return Outcome(answer.model_dump(mode="json"), f"{answer.generations:,} generations: {counts}.")


def join(given: argparse.Namespace) -> Outcome:
    if given.database is not None:
        configure(database=given.database)
    current().run_blocking(lambda service: service.join_checkpoints(given.former, given.name))
    text = f"What was learned of {given.former} is {given.name}'s now."
    return Outcome({"former": given.former, "name": given.name}, text)


def forget(given: argparse.Namespace) -> Outcome:
    if given.everything != given.yes:
        raise WrongUse("--everything and --yes belong together: all that was taught would be gone for good.")
    if given.older_than is not None and not 0 <= given.older_than <= MOST_DAYS:
        raise WrongUse(f"--older-than takes 0 to {MOST_DAYS} days.")

    async def forgotten(service: PreferenceService) -> Forgotten:
        if given.generation is not None:
            return await service.forget_generation(given.generation)
        if given.keyword is not None:
            return await service.forget_keyword(given.keyword)
        if given.older_than is not None:
            return await service.forget_older(given.older_than)
        return await (service.forget_prompts() if given.prompts else service.forget_everything())

    if given.database is not None:
        configure(database=given.database)
    answer = ForgetResponse.model_validate(current().run_blocking(forgotten))
    lines = [f"Forgotten, in {answer.generations:,} generations."]
    lines += [f"{file} may still hold traces, since it is in use: forget again later." for file in answer.traces]
    return Outcome(answer.model_dump(mode="json"), "\n".join(lines), good=not answer.traces)


async def _copied(source: str, target: str) -> ImportReport:
    taken = await PreferenceService.open(source)
    try:
        given = await PreferenceService.open(target)
        try:
            return await given.import_lines(taken.export())
        finally:
            await given.close()
    finally:
        await taken.close()
