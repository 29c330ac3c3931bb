"""The commands that look after a database as a whole: carrying it elsewhere.

Apart from `commands`, which ask what was learned, because these may open other databases than the runtime's.
"""

from __future__ import annotations

import argparse
import asyncio

from . import exchange_schemas
from .cli import CommandFailed, Outcome, WrongUse
from .learning import engines
from .learning.overview import ImportReport
from .learning.service import PreferenceService


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
    answer = exchange_schemas.ImportAnswer.model_validate(report)
    counts = f"{answer.added:,} new, {answer.verdicts_replaced:,} verdicts replaced"
    return Outcome(answer.model_dump(mode="json"), f"{answer.generations:,} generations: {counts}.")


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
