"""Export and import: the log of one database as lines, and lines added to the log of another.

Separate from `service` because a whole log passes through here, page by page: it is never all in memory, and no
transaction is so long that a person's verdict would wait for it. `line_format` owns the form of the lines.

Merging is a union of generations with the newest verdict each: generations are known by their ids, and of two verdicts
on one the later counts. So the same file twice changes nothing, and files may come in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..database.schema import checkpoints, generation_logs, keywords, learned_state, verdicts
from ..errors import InvalidRequest, StoreUnavailable
from ..message import joined, message
from ..names import stored_name
from ..reports import ImportReport
from ..store import generations, imports, statistics
from ..store.erasure import renew_identity
from ..store.records import Ids, LoggedGeneration
from ..store.rollup_task import keep_up
from ..store.verdict_marks import judges
from ..values import Keyword, batch_of
from .line_format import (
    VERSION,
    Header,
    PortableGeneration,
    PortableKeyword,
    PortableVerdict,
    bad_line,
    packed,
    portable_images,
    read_generation,
    read_header,
)
from .spool import Spool, spooled

Lines: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]

_PAGE = 100
_BATCH = 25
"""Generations in one transaction: about a tenth of a second, for which a verdict may have to wait."""
_ROLLED_UP_AFTER = 40 * _BATCH


async def export(database: Database, *, anonymous: bool) -> AsyncGenerator[str, None]:
    """Yield the lines of a file that holds the whole log as it is now.

    Raises
    ------
    StoreUnavailable
        Also at the end, where some of it was forgotten meanwhile: no import would take such a file.
    """

    async def begin(connection: AsyncConnection) -> tuple[str, int, int]:
        identity = (await connection.execute(select(learned_state.c.identity))).scalar_one()
        number, newest = generation_logs.c.number, func.max(generation_logs.c.number)
        count, last = (await connection.execute(select(func.count(number), newest))).one()
        return identity, count, last or 0

    identity, count, last = await database.read(begin)
    yield Header(
        format="context-checkpoint",
        version=VERSION,
        database="" if anonymous else identity,
        generations=count,
        anonymous=anonymous,
    ).line()
    number = exported = 0
    while number < last:
        page = await database.read(
            lambda connection, after=number: _page(connection, after, last)  # type: ignore[misc]
        )
        if not page:
            break
        for _, generation in page:
            yield (generation.anonymous() if anonymous else generation).line()
        number, exported = page[-1][0], exported + len(page)
    if exported != count:
        raise StoreUnavailable(
            "log_changed",
            message(
                "log_changed",
                "Some of the log was forgotten while it was exported, so that the file is not whole. Export again.",
            ),
        )


async def _page(connection: AsyncConnection, after: int, last: int) -> list[tuple[int, PortableGeneration]]:
    logged = await generations.logged_after(connection, after, _PAGE)
    return await portable(connection, [each for each in logged if each.number <= last])


async def portable(
    connection: AsyncConnection, logged: Sequence[LoggedGeneration]
) -> list[tuple[int, PortableGeneration]]:
    """Generations by their numbers, with what only an export needs of them."""
    if not logged:
        return []
    numbers = [each.number for each in logged]
    # Of a generation's verdicts the newest counts, also one that withdrew the one before.
    newest = (
        select(verdicts.c.generation_number, func.max(verdicts.c.number).label("number"))
        .where(verdicts.c.generation_number.in_(numbers))
        .group_by(verdicts.c.generation_number)
        .subquery()
    )
    newest_verdicts = select(verdicts).join(newest, verdicts.c.number == newest.c.number)
    verdict_rows = {row.generation_number: row for row in await connection.execute(newest_verdicts)}
    log_rows = select(generation_logs).where(generation_logs.c.number.in_(numbers))
    rows = {row.number: row for row in await connection.execute(log_rows)}
    files = await generations.with_origins(connection, logged)
    batches = {each.number: batch_of(each.generation.session_id, each.generation.policy) for each in logged}
    imported_at = await imports.moments(connection, {batch for batch in batches.values() if batch is not None})
    portables = []
    for each in logged:
        row, verdict, generation = rows[each.number], verdict_rows.get(each.number), each.generation
        line = PortableGeneration(
            id=generation.id,
            created_at=generation.created_at,
            stage=generation.stage,
            policy=generation.policy,
            strategy=generation.strategy,
            confidence=generation.confidence,
            evidence=row.evidence,
            clarity=row.clarity,
            keywords=tuple(PortableKeyword(text=word.text, weight=word.weight) for word in generation.keywords),
            images=portable_images(files[each.number]),
            utilities=dict(each.utilities),
            basis=packed(each.basis),
            verdict=PortableVerdict(marks=verdict.marks, at=verdict.created_at) if verdict else None,
            prompt=generation.prompt,
            session_id=generation.session_id,
            prompt_id=generation.prompt_id,
            family=row.family,
            seed=row.seed,
            fallback=row.fallback,
            imported_at=imported_at.get(batches[each.number] or ""),
            note=generation.note,
        )
        portables.append((each.number, line))
    return portables


async def import_lines(
    database: Database, lines: Lines, names: Mapping[str, str], *, keep_prompts: bool
) -> ImportReport:
    """Add a file to what is known, all of it or, where a line is bad, nothing.

    Parameters
    ----------
    names
        New names of checkpoints by the ones in the file.
    keep_prompts
        Whether the prompts' texts are stored; here and in the other functions that add generations.

    Raises
    ------
    InvalidRequest
        With the number of the first bad line.
    StoreUnavailable
        If the database cannot be written. Part of the file may be in then; importing it again completes it.
    """
    new_names = {stored_name(old): stored_name(new) for old, new in names.items()}
    if not all(new_names.values()):
        raise InvalidRequest("A checkpoint needs a name. Map each name to another one.")
    with spooled() as spool:
        await _check(database, lines, spool)
        report = ImportReport()
        batch: list[PortableGeneration] = []
        for number, line in enumerate(spool.written(), start=2):
            batch.append(read_generation(line, number).renamed(new_names))
            if len(batch) == _BATCH:
                report, batch = await _write(database, batch, report, keep_prompts=keep_prompts), []
                if report.generations % _ROLLED_UP_AFTER == 0:
                    await keep_up(database)
        report = await _write(database, batch, report, keep_prompts=keep_prompts)
        await keep_up(database)
        return report


async def add(
    database: Database,
    batches: Callable[[int], Generator[list[PortableGeneration], None, None]],
    *,
    keep_prompts: bool,
) -> ImportReport:
    """Add generations that have been checked; `batches(size)` yields them in lists, and may block.

    Raises
    ------
    StoreUnavailable
        If the database cannot be written. Part of them may be in then; adding them again completes it.
    """
    report, source = ImportReport(), batches(_BATCH)
    try:
        while batch := await asyncio.to_thread(next, source, None):
            report = await _write(database, batch, report, keep_prompts=keep_prompts)
    finally:
        await asyncio.to_thread(source.close)
    return report


async def _check(database: Database, lines: Lines, spool: Spool) -> None:
    """Read every line before the first is written, and keep them for the second reading."""
    header: Header | None = None
    number, batch = 0, list[tuple[int, PortableGeneration]]()
    async with aclosing(_each(lines)) as source:
        async for line in source:
            number += 1
            if header is None:
                header = read_header(line)
                continue
            batch.append((number, read_generation(line, number)))
            spool.write(line.rstrip(b"\r\n") + b"\n")
            if len(batch) == _PAGE:
                await _fits(database, batch)
                batch.clear()
    await _fits(database, batch)
    if header is None:
        raise bad_line(1, "the file is empty")
    if number - 1 != header.generations:
        raise bad_line(number, f"the file ends here, after {number - 1} of {header.generations} generations")


async def _fits(database: Database, batch: list[tuple[int, PortableGeneration]]) -> None:
    """Check that generations that are known by the same ids have as many images. Raises `InvalidRequest`."""

    async def read(connection: AsyncConnection) -> None:
        ids = [generation.id for _, generation in batch]
        counts = await generations.image_counts(connection, ids)
        for number, generation in batch:
            images = counts.get(generation.id, len(generation.images))
            if images != len(generation.images):
                raise bad_line(
                    number,
                    f"generation {generation.id} is known here with {images} images, not {len(generation.images)}",
                )

    if batch:
        await database.read(read)


async def _each(lines: Lines) -> AsyncGenerator[bytes, None]:
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield line.encode("utf-8", "replace") if isinstance(line, str) else line
        return
    for number, line in enumerate(lines):
        if number % _PAGE == 0:
            await asyncio.sleep(0)  # a long file must not keep recommendations waiting
        yield line.encode("utf-8", "replace") if isinstance(line, str) else line


async def _write(
    database: Database, batch: list[PortableGeneration], before: ImportReport, *, keep_prompts: bool
) -> ImportReport:
    async def write(connection: AsyncConnection) -> ImportReport:
        return await merge(connection, batch, before, keep_prompts=keep_prompts)

    if not batch:
        return before
    try:
        return await database.write(write)
    except StoreUnavailable as error:
        if not before.generations:
            raise
        more = message(
            "partly_imported",
            "{count} generations of the file are in; import it again, nothing counts twice.",
            count=before.generations,
        )
        raise StoreUnavailable(error.code, joined([error.message, more])) from error


async def merge(
    connection: AsyncConnection, batch: Sequence[PortableGeneration], before: ImportReport, *, keep_prompts: bool
) -> ImportReport:
    """Add generations and count their verdicts, inside the caller's transaction."""
    change = statistics.Change()
    added = replaced = 0
    for generation in batch:
        logged = await generations.find(connection, generation.id)
        if logged is None:
            await log(connection, generation, keep_prompts=keep_prompts)
            added += 1
            logged = await generations.find(connection, generation.id)
            assert logged is not None  # noqa: S101 - for mypy: it was added a moment ago
        elif generation.shows_files and not any(image.file.filename for image in logged.generation.images):
            await generations.set_files(connection, logged.number, generation.files)
        if generation.note and not logged.generation.note:
            await generations.set_note(connection, logged.number, generation.note)
        verdict = generation.verdict
        if verdict is None or len(verdict.marks) != len(logged.marks):
            continue
        former = await generations.newest_verdict(connection, logged.number)
        # At the same moment the marks decide, so that every order of files ends the same.
        if former is not None and (former.at, former.marks) >= (verdict.at, verdict.marks):
            continue
        replaced += former is not None
        change.add(logged.comparison(logged.marks), -1.0, of=logged)
        # The prior comes with the verdict that counts, so that here too every order of files ends the same.
        prior = logged.basis
        if generation.known is not None:
            logged = replace(logged, basis=generation.known)
        elif prior is None and judges(verdict.marks):
            await _apply(connection, change)
            change, logged = statistics.Change(), await statistics.with_basis(connection, logged)
        change.add(logged.comparison(verdict.marks), of=logged)
        new_prior = None if logged.basis is prior else logged.basis
        await generations.add_verdict(connection, logged.number, verdict.marks, verdict.at, new_prior)
    await _apply(connection, change)
    return ImportReport(before.generations + len(batch), before.added + added, before.verdicts_replaced + replaced)


async def judge(connection: AsyncConnection, logged: LoggedGeneration, marks: str, now: datetime) -> None:
    """Give a generation another verdict, later than the one it has."""
    change, prior = statistics.Change(), logged.basis
    if judges(marks):
        logged = await statistics.with_basis(connection, logged)
    change.add(logged.comparison(logged.marks), -1.0, of=logged)
    change.add(logged.comparison(marks), of=logged)
    await statistics.apply(connection, change, logged.ids)
    at = now if logged.verdict_at is None else max(now, logged.verdict_at + timedelta(microseconds=1))
    await generations.add_verdict(connection, logged.number, marks, at, None if logged.basis is prior else logged.basis)


async def _apply(connection: AsyncConnection, change: statistics.Change) -> None:
    ids = Ids(
        await generations.interned(connection, keywords, {text for text, _ in change.pairs} | {*change.rounds}),
        await generations.interned(connection, checkpoints, {name for _, name in change.pairs}),
    )
    await statistics.apply(connection, change, ids)


async def log(connection: AsyncConnection, generation: PortableGeneration, *, keep_prompts: bool) -> None:
    """Log a generation without its verdict."""
    await log_all(connection, [generation], keep_prompts=keep_prompts)


async def log_all(connection: AsyncConnection, logged: Sequence[PortableGeneration], *, keep_prompts: bool) -> None:
    """Log generations without their verdicts, in order."""
    batches = {batch_of(each.session_id, each.policy): each.imported_at for each in logged}
    for batch, imported_at in batches.items():
        if batch is not None and imported_at is not None:
            await imports.add_batch(connection, batch, imported_at)
            await renew_identity(connection)  # who has read what the imports say reads it again
    if logged:
        await generations.add_generations(connection, [_new(each, keep_prompts=keep_prompts) for each in logged])


def _new(generation: PortableGeneration, *, keep_prompts: bool) -> generations.NewGeneration:
    columns = generation.model_dump(exclude={"keywords", "images", "utilities", "verdict", "basis", "imported_at"})
    if not keep_prompts:
        columns["prompt"] = ""
    images = generation.files
    shown = {image.checkpoint for image in images}
    return generations.NewGeneration(
        columns,
        [Keyword(word.text, word.weight) for word in generation.keywords],
        images,
        {name: utility for name, utility in generation.utilities.items() if name in shown},
    )
