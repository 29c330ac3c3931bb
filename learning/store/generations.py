"""The log in SQL: generations, their images and keywords, and every verdict ever given.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `statistics`,
because the log is the truth and is only ever added to (`erasure` aside), while the statistics follow from it.
They know nothing of what a verdict teaches.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Join,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    func,
    insert,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    OVERALL,
    OVERALL_ID,
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    generation_utilities,
    image_settings,
    keywords,
    rebuild_state,
    verdicts,
)
from ..model.snapshot import PriorSnapshot, unpacked
from ..reports import LoggedFile
from ..values import IMPORTED, Generation, ImageFile, ImageSettings, JudgedImage, Keyword
from .records import Ids, LoggedGeneration, RebuildProgress
from .verdict_marks import SELECTED, UNJUDGED, VERDICTS, judges

_PLAIN_FIELDS = (
    "id",
    "session_id",
    "prompt",
    "stage",
    "policy",
    "strategy",
    "confidence",
    "created_at",
    "prompt_id",
    "judged_at",
    "note",
)
_AT_ONCE = 500  # SQLite before 3.32 takes at most 999 parameters in a statement


_Mapping: TypeAlias = "Mapping[Any, Any]"
"""A row by the names of its columns."""


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict as it is stored."""

    marks: str
    at: datetime


async def interned(connection: AsyncConnection, table: Table, texts: Iterable[str]) -> dict[str, int]:
    """The ids of texts in `keywords` or `checkpoints`; new ones are added."""
    column = table.c.text if table is keywords else table.c.name
    wanted = list(dict.fromkeys(texts))
    ids = await _ids(connection, table, wanted)
    # In one order everywhere, so that two writers never wait for each other.
    new = sorted(text for text in wanted if text not in ids)
    if new:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        await connection.execute(
            dialect.insert(table).on_conflict_do_nothing(index_elements=[column]),
            [{column.name: text} for text in new],
        )
        ids |= await _ids(connection, table, new)
    return ids


async def _ids(connection: AsyncConnection, table: Table, texts: Sequence[str]) -> dict[str, int]:
    column = table.c.text if table is keywords else table.c.name
    ids: dict[str, int] = {}
    for start in range(0, len(texts), _AT_ONCE):
        rows = await connection.execute(select(column, table.c.id).where(column.in_(texts[start : start + _AT_ONCE])))
        ids.update((row[0], row[1]) for row in rows)
    return ids


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """What is logged of a generation: the columns of `generation_logs`, and what belongs to it; `utilities` are of the
    checkpoints shown."""

    columns: Mapping[str, Any]
    words: Sequence[Keyword]
    images: Sequence[ImageFile]
    utilities: Mapping[str, float]


async def add_generations(connection: AsyncConnection, new: Sequence[NewGeneration]) -> None:
    """Log generations, in order; many at once take a fraction of the time that each takes alone."""
    images = [image for each in new for image in each.images]
    names = await interned(connection, checkpoints, (image.checkpoint for image in images))
    settings = await _settings_ids(connection, [image.settings for image in images if image.settings is not None])
    words = await interned(connection, keywords, (word.text for each in new for word in each.words))
    numbers = await _numbered(connection, [each.columns for each in new])
    await connection.execute(
        insert(generation_images),
        [
            {
                "generation_number": number,
                "position": position,
                "checkpoint_id": names[image.checkpoint],
                "filename": image.filename,
                "subfolder": image.subfolder,
                "type": image.type,
                "settings_id": None if image.settings is None else settings[image.settings],
                "source_id": image.source_id or None,
                "lora_utility": image.lora_utility,
            }
            for number, each in zip(numbers, new, strict=True)
            for position, image in enumerate(each.images)
        ],
    )
    mentioned = [
        {"generation_number": number, "position": position, "keyword_id": words[word.text], "weight": word.weight}
        for number, each in zip(numbers, new, strict=True)
        for position, word in enumerate(each.words)
    ]
    if mentioned:
        await connection.execute(insert(generation_keywords), mentioned)
    shown = [
        {"generation_number": number, "checkpoint_id": names[name], "utility": each.utilities[name]}
        for number, each in zip(numbers, new, strict=True)
        for name in dict.fromkeys(image.checkpoint for image in each.images)
        if name in each.utilities
    ]
    if shown:
        await connection.execute(insert(generation_utilities), shown)


async def _numbered(connection: AsyncConnection, columns: Sequence[Mapping[str, Any]]) -> list[int]:
    """The numbers of new rows of `generation_logs`, in order."""
    query = insert(generation_logs).returning(generation_logs.c.number)
    if len(columns) == 1:
        return [(await connection.execute(query, columns[0])).scalar_one()]
    query = insert(generation_logs).returning(generation_logs.c.number, sort_by_parameter_order=True)
    return list((await connection.execute(query, columns)).scalars())


async def _settings_ids(connection: AsyncConnection, settings: Sequence[ImageSettings]) -> dict[ImageSettings, int]:
    """The ids of settings; new ones are added."""
    if not settings:
        return {}
    texts = {each.digest: each.text for each in settings}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    await connection.execute(
        dialect.insert(image_settings).on_conflict_do_nothing(index_elements=[image_settings.c.digest]),
        [{"digest": digest, "settings": texts[digest]} for digest in sorted(texts)],
    )
    ids: dict[str, int] = {}
    for start in range(0, len(texts), _AT_ONCE):
        some = image_settings.c.digest.in_([*texts][start : start + _AT_ONCE])
        rows = await connection.execute(select(image_settings.c.digest, image_settings.c.id).where(some))
        ids.update((row[0], row[1]) for row in rows)
    return {each: ids[each.digest] for each in settings}


async def set_files(connection: AsyncConnection, number: int, files: Sequence[ImageFile]) -> None:
    """Set where the first images of a generation are stored, in order."""
    await connection.execute(
        update(generation_images).where(
            generation_images.c.generation_number == bindparam("of_number"),
            generation_images.c.position == bindparam("at_position"),
        ),
        [
            {
                "of_number": number,
                "at_position": position,
                "filename": file.filename,
                "subfolder": file.subfolder,
                "type": file.type,
            }
            for position, file in enumerate(files)
        ],
    )


async def set_note(connection: AsyncConnection, number: int, note: str) -> None:
    """Set what the person wrote about a generation; an empty text takes it away."""
    await connection.execute(update(generation_logs).where(generation_logs.c.number == number).values(note=note))


async def add_verdict(
    connection: AsyncConnection, number: int, marks: str, now: datetime, basis: PriorSnapshot | None = None
) -> None:
    """Append a verdict; marks that judge nothing withdraw the former one. `basis` is logged unless it is None."""
    row = {"generation_number": number, "marks": marks, "created_at": now}
    await connection.execute(_ADD_VERDICT, [row])  # of a list SQLAlchemy does not fetch the new numbers
    judged = {"of_number": number, "judged": now if judges(marks) else None}
    if basis is None:
        await connection.execute(_SET_JUDGED, judged)
    else:
        await connection.execute(_SET_JUDGED_AND_BASIS, judged | {"known": basis.packed()})


_ADD_VERDICT = insert(verdicts)
_OF_NUMBER = update(generation_logs).where(generation_logs.c.number == bindparam("of_number"))
_SET_JUDGED = _OF_NUMBER.values(judged_at=bindparam("judged"))
_SET_JUDGED_AND_BASIS = _SET_JUDGED.values(basis=bindparam("known"))


async def set_basis(connection: AsyncConnection, number: int, basis: PriorSnapshot | None) -> None:
    """Log what was known of a generation when it was first judged."""
    packed = None if basis is None else basis.packed()
    await connection.execute(update(generation_logs).where(generation_logs.c.number == number).values(basis=packed))


async def find(connection: AsyncConnection, generation_id: str) -> LoggedGeneration | None:
    rows = (await connection.execute(_ONE_GENERATION, {"of_id": generation_id})).mappings().all()
    if not rows:
        return None
    words = [row for row in rows if row["text"] is not None]
    images = [row for row in rows if row["checkpoint_id"] is not None]
    return _logged(rows[0], words, images)


async def numbered(connection: AsyncConnection, numbers: Sequence[int]) -> list[LoggedGeneration]:
    """The generations with these numbers, oldest first."""
    generations: list[LoggedGeneration] = []
    for start in range(0, len(numbers), _AT_ONCE):
        some = generation_logs.c.number.in_(numbers[start : start + _AT_ONCE])
        generations += await _whole(connection, _GENERATIONS.where(some).order_by(generation_logs.c.number))
    return generations


async def newest(
    connection: AsyncConnection,
    *,
    limit: int,
    before: str | None,
    session_id: str | None,
    prompt_id: str | None,
    judged: bool | None,
    kept: bool | None = None,
    keyword: str | None = None,
    checkpoint: str | None = None,
    note: str | None = None,
) -> list[LoggedGeneration]:
    """Generations that fit, newest first; `before` is the id of one, or None to begin with the newest."""
    query, number = _GENERATIONS, generation_logs.c.number
    if keyword is not None:
        # Along the keyword's own generations, from the newest: no database goes through all of them.
        number = generation_keywords.c.generation_number
        query = query.join(generation_keywords, number == generation_logs.c.number)
        query = query.where(generation_keywords.c.keyword_id == _id_of(keyword), _is_first_mention())
    query = query.order_by(number.desc()).limit(limit)
    if before is not None:
        edge = select(generation_logs.c.number).where(generation_logs.c.id == before).scalar_subquery()
        query = query.where(number < edge)
    if session_id is not None:
        query = query.where(generation_logs.c.session_id == session_id)
    else:  # imported images that nobody rated are thousands, and have nothing to show
        query = query.where((generation_logs.c.policy != IMPORTED) | generation_logs.c.judged_at.is_not(None))
    if prompt_id is not None:
        query = query.where(generation_logs.c.prompt_id == prompt_id)
    if judged is not None:
        has_verdict = generation_logs.c.judged_at.is_not(None)
        query = query.where(has_verdict if judged else ~has_verdict)
    if kept is not None:
        any_kept = _NEWEST_MARKS.element.contains(SELECTED, autoescape=True)
        query = query.where(generation_logs.c.judged_at.is_not(None), any_kept if kept else ~any_kept)
    if note is not None:
        # The index has those with a note alone.
        query = query.where(generation_logs.c.note != "", contains(generation_logs.c.note, note))
    if checkpoint is not None:
        by_it = select(generation_images.c.generation_number).join(checkpoints)
        by_it = by_it.where(generation_images.c.generation_number == generation_logs.c.number)
        # `IS TRUE` keeps a server from looking through all images at once.
        query = query.where(by_it.where(checkpoints.c.name == checkpoint).exists().is_(true()))
    return await _whole(connection, query)


def contains(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """Whether a text has another in it, in any case; every character means itself."""
    pattern = func.lower("%" + re.sub(r"([%_\\])", r"\\\1", search) + "%")
    return func.lower(column).like(pattern, escape="\\")


def _id_of(keyword: str) -> ScalarSelect[int]:
    return select(keywords.c.id).where(keywords.c.text == keyword).scalar_subquery()


def _is_first_mention() -> ColumnElement[bool]:
    """Of a keyword that a generation has twice, as other clients may log it."""
    other = generation_keywords.alias()
    first = select(func.min(other.c.position)).where(
        other.c.generation_number == generation_keywords.c.generation_number,
        other.c.keyword_id == generation_keywords.c.keyword_id,
    )
    # Not `==`: a server would estimate that few rows fit, and choose another index.
    return generation_keywords.c.position <= first.scalar_subquery()


async def with_origins(connection: AsyncConnection, logged: Sequence[LoggedGeneration]) -> dict[int, list[ImageFile]]:
    """The images of generations by their numbers, with their settings and their own ids."""
    files = {each.number: [image.file for image in each.generation.images] for each in logged}
    for start in range(0, len(logged), _AT_ONCE):
        numbers = [each.number for each in logged[start : start + _AT_ONCE]]
        for row in await connection.execute(_ORIGINS, {"numbers": numbers}):
            images = files[row.generation_number]
            settings = None if row.settings is None else ImageSettings.read(row.settings)
            images[row.position] = replace(images[row.position], settings=settings, source_id=row.source_id or "")
    return files


async def judged_after(connection: AsyncConnection, number: int, limit: int) -> list[LoggedGeneration]:
    """Judged generations after one, oldest first."""
    judged = _GENERATIONS.where(generation_logs.c.judged_at.is_not(None))
    return await _whole(connection, _after(judged, number, limit))


async def logged_after(connection: AsyncConnection, number: int, limit: int) -> list[LoggedGeneration]:
    """Generations after one, oldest first."""
    return await _whole(connection, _after(_GENERATIONS, number, limit))


def _after(query: Select[Any], number: int, limit: int) -> Select[Any]:
    return query.where(generation_logs.c.number > number).order_by(generation_logs.c.number).limit(limit)


async def newest_verdict(connection: AsyncConnection, number: int) -> StoredVerdict | None:
    """The verdict that counts for a generation, also where it withdrew another; None: none ever."""
    row = await connection.execute(
        select(verdicts.c.marks, verdicts.c.created_at)
        .where(verdicts.c.generation_number == number)
        .order_by(verdicts.c.number.desc())
        .limit(1)
    )
    verdict = row.one_or_none()
    return verdict and StoredVerdict(*verdict)


async def files_after(connection: AsyncConnection, number: int, limit: int) -> list[LoggedFile]:
    """Images with a saved file or an id of their own, of generations after one, oldest first.

    All images of a generation come together; `limit` is a number of generations.
    """
    last = _after(select(generation_logs.c.number), number, limit).subquery()
    end = (await connection.execute(select(func.max(last.c.number)))).scalar()
    if end is None:
        return []
    columns = generation_images.c
    rows = await connection.execute(
        select(
            columns.generation_number,
            generation_logs.c.id,
            columns.position,
            columns.filename,
            columns.subfolder,
            columns.type,
            func.coalesce(columns.source_id, ""),
        )
        .select_from(generation_images.join(generation_logs))
        .where(columns.generation_number > number, columns.generation_number <= end)
        .order_by(columns.generation_number, columns.position)
    )
    return [LoggedFile(*row) for row in rows]


async def image_counts(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """How many images each of these generations has, as far as they are logged."""
    rows = await connection.execute(
        select(generation_logs.c.id, func.count())
        .join(generation_images, generation_images.c.generation_number == generation_logs.c.number)
        .where(generation_logs.c.id.in_(ids))
        .group_by(generation_logs.c.id)
    )
    return {row[0]: row[1] for row in rows}


_NEWEST_MARKS, _NEWEST_AT = (
    select(column)
    .where(verdicts.c.generation_number == generation_logs.c.number)
    .order_by(verdicts.c.number.desc())
    .limit(1)
    .scalar_subquery()
    .label(name)
    for column, name in ((verdicts.c.marks, "marks"), (verdicts.c.created_at, "verdict_at"))
)
_GENERATIONS = select(
    generation_logs,
    _NEWEST_MARKS,
    _NEWEST_AT,
    select(rebuild_state.c.generation).scalar_subquery().label("rebuilt_generation"),
    select(rebuild_state.c.keyword).scalar_subquery().label("rebuilt_keyword"),
    select(rebuild_state.c.former).scalar_subquery().label("rebuild_outdated"),
)
_ALL_KEYWORDS = (
    select(
        generation_keywords.c.generation_number,
        keywords.c.text,
        generation_keywords.c.weight,
        generation_keywords.c.keyword_id,
    )
    .join(keywords)
    .order_by(generation_keywords.c.generation_number, generation_keywords.c.position)
)
_IMAGES_JOINED = generation_images.join(checkpoints).outerjoin(
    generation_utilities,
    (generation_utilities.c.generation_number == generation_images.c.generation_number)
    & (generation_utilities.c.checkpoint_id == generation_images.c.checkpoint_id),
)
_ALL_IMAGES = (
    select(
        generation_images.c.generation_number,
        generation_images.c.checkpoint_id,
        checkpoints.c.name,
        generation_images.c.filename,
        generation_images.c.subfolder,
        generation_images.c.type,
        generation_images.c.settings_id,
        generation_images.c.lora_utility,
        generation_utilities.c.utility,
    )
    .select_from(_IMAGES_JOINED)
    .order_by(generation_images.c.generation_number, generation_images.c.position)
)
_ORIGINS = (
    select(
        generation_images.c.generation_number,
        generation_images.c.position,
        generation_images.c.source_id,
        image_settings.c.settings,
    )
    .select_from(generation_images.outerjoin(image_settings))
    .where(
        generation_images.c.generation_number.in_(bindparam("numbers", expanding=True)),
        generation_images.c.settings_id.is_not(None) | generation_images.c.source_id.is_not(None),
    )
)
_KEYWORDS, _IMAGES = (
    query.where(column.in_(bindparam("numbers", expanding=True)))
    for query, column in (
        (_ALL_KEYWORDS, generation_keywords.c.generation_number),
        (_ALL_IMAGES, generation_images.c.generation_number),
    )
)
# Each verdict reads one generation, and waits for each statement: all of it comes in one, with a row per keyword
# and per image, which repeats what is the generation's own.
_FOUND = _GENERATIONS.where(generation_logs.c.id == bindparam("of_id")).cte("generation")
_NUMBER = select(_FOUND.c.number).scalar_subquery()
_OF_IMAGE = [column for column in _ALL_IMAGES.selected_columns if column.name != "generation_number"]
_PARTS = union_all(
    select(
        generation_keywords.c.position,
        keywords.c.text,
        generation_keywords.c.weight,
        generation_keywords.c.keyword_id,
        *(null().label(column.name) for column in _OF_IMAGE),
    )
    .join(keywords)
    .where(generation_keywords.c.generation_number == _NUMBER),
    select(
        generation_images.c.position,
        *(null().label(name) for name in ("text", "weight", "keyword_id")),
        *_OF_IMAGE,
    )
    .select_from(_IMAGES_JOINED)
    .where(generation_images.c.generation_number == _NUMBER),
).subquery("parts")
_ONE_GENERATION = select(_FOUND, _PARTS).select_from(_FOUND.outerjoin(_PARTS, true())).order_by(_PARTS.c.position)


async def _whole(connection: AsyncConnection, query: Select[Any]) -> list[LoggedGeneration]:
    rows = (await connection.execute(query)).mappings().all()
    words: dict[int, list[_Mapping]] = defaultdict(list)
    images: dict[int, list[_Mapping]] = defaultdict(list)
    for start in range(0, len(rows), _AT_ONCE):
        numbers = {"numbers": [row["number"] for row in rows[start : start + _AT_ONCE]]}
        for word in (await connection.execute(_KEYWORDS, numbers)).mappings():
            words[word["generation_number"]].append(word)
        for image in (await connection.execute(_IMAGES, numbers)).mappings():
            images[image["generation_number"]].append(image)
    return [_logged(row, words[row["number"]], images[row["number"]]) for row in rows]


def _logged(row: _Mapping, words: Sequence[_Mapping], images: Sequence[_Mapping]) -> LoggedGeneration:
    marks: str = row["marks"] or UNJUDGED * len(images)
    return LoggedGeneration(
        number=row["number"],
        generation=Generation(
            **{name: row[name] for name in _PLAIN_FIELDS},
            keywords=tuple(Keyword(word["text"], word["weight"]) for word in words),
            images=tuple(
                JudgedImage(
                    position,
                    ImageFile(
                        image["name"],
                        image["filename"],
                        image["subfolder"],
                        image["type"],
                        lora_utility=image["lora_utility"],
                    ),
                    VERDICTS.get(mark),
                )
                for position, (image, mark) in enumerate(zip(images, marks, strict=True))
            ),
        ),
        marks=marks,
        verdict_at=row["verdict_at"],
        utilities={image["name"]: image["utility"] for image in images if image["utility"] is not None},
        ids=Ids(
            {OVERALL: OVERALL_ID, **{word["text"]: word["keyword_id"] for word in words}},
            {image["name"]: image["checkpoint_id"] for image in images},
        ),
        basis=unpacked(row["basis"]) if row["basis"] else None,
        settings_ids=tuple(image["settings_id"] for image in images),
        rebuild_progress=None
        if row["rebuilt_generation"] is None
        else RebuildProgress(row["rebuilt_generation"], row["rebuilt_keyword"], row["rebuild_outdated"]),
    )


def with_newest_verdict() -> Join:
    """Generations with their newest verdict, if any; joined, because a subselect would run once per mention."""
    newest = select(func.max(verdicts.c.number)).where(verdicts.c.generation_number == generation_logs.c.number)
    newest_of_it = newest.correlate(generation_logs).scalar_subquery()
    return generation_logs.outerjoin(verdicts, verdicts.c.number == newest_of_it)
