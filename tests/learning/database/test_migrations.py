"""A database is brought to the newest schema by code alone, whatever folder the pack lies in."""

# ruff: noqa: ASYNC240 - nothing else runs in these loops
from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database import engines, migrations
from context_checkpoint.learning.database.schema import REVISION, VERSION_TABLE, metadata
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.service.settings import LearningSettings

from .test_faults import kill_in_the_middle, teach

FOLDER = Path(migrations.__file__).parent


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes.update(connection=connection, metadata=metadata, version_table=VERSION_TABLE)
    return config


def structure(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL"))
    finally:
        connection.close()


async def test_an_empty_database_is_brought_to_the_newest_revision(database: str) -> None:
    """Tables, views and the note of the revision, in SQLite and PostgreSQL."""
    service = await PreferenceService.open(database)
    await service.close()

    url = database if "://" in database else f"sqlite+aiosqlite:///{database}"
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda inner: inspect(inner).get_table_names())
        views = await connection.run_sync(lambda inner: inspect(inner).get_view_names())
        revision = (await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalar()  # noqa: S608
    await engine.dispose()

    assert set(tables) == {*metadata.tables, VERSION_TABLE}
    assert set(views) == {"preference_stats", "checkpoint_stats", "image_verdicts"}
    assert revision == REVISION


def test_the_migrations_build_what_the_schema_describes(database_file: Path) -> None:
    """Alembic compares the two and finds nothing to do; `env.py` serves its commands while developing."""
    engine = create_engine(f"sqlite:///{database_file}")
    with engine.connect() as connection:
        command.upgrade(configuration(connection), "head")
        command.check(configuration(connection))
    engine.dispose()


async def test_alembics_own_command_and_the_packs_build_the_same(tmp_path: Path) -> None:
    """Neither way of upgrading does more than the other."""
    engine = create_engine(f"sqlite:///{tmp_path / 'command.db'}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "head")
    engine.dispose()
    service = await PreferenceService.open(tmp_path / "pack.db")
    await service.close()

    assert structure(tmp_path / "pack.db") == structure(tmp_path / "command.db")


def test_the_newest_revision_is_known_without_alembic() -> None:
    """An up-to-date database opens without importing it; this keeps the constant true."""
    scripts = ScriptDirectory(str(FOLDER))

    assert scripts.get_heads() == [REVISION]


async def test_an_older_database_is_upgraded_and_a_current_one_left_alone(
    database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening twice migrates once."""
    service = await PreferenceService.open(database_file)
    await service.close()
    built = structure(database_file)

    with caplog.at_level(logging.INFO, logger="alembic"):
        service = await PreferenceService.open(database_file)
        await service.close()

    assert structure(database_file) == built
    assert caplog.records == []


@pytest.mark.parametrize("released", ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008"])
async def test_a_database_of_a_former_revision_learns_all_that_it_logged(tmp_path: Path, released: str) -> None:
    """What was known of a round is packed otherwise there, so it is computed again: the same, to the bit."""
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    service = await PreferenceService.open(new)
    await teach(service, rounds=9)
    await teach(service, rounds=3, winner="b")
    expected = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    await service.close()
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), released)
    engine.dispose()
    _copy_log(new, old)

    service = await PreferenceService.open(old)
    recommendation = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    await service.close()

    assert (recommendation.confidence, recommendation.scores) == (expected.confidence, expected.scores)


def _copy_log(new: Path, old: Path) -> None:
    """As the first revision's code left it: no statistics of today's formula, bases of the first version."""
    connection = sqlite3.connect(old)
    connection.execute("ATTACH ? AS new", (str(new),))
    for table in metadata.sorted_tables:
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table.name})"))
        if table.name in ("learned_state", "pair_statistics") or not columns:
            continue
        connection.execute(f"INSERT OR REPLACE INTO {table.name} SELECT {columns} FROM new.{table.name}")  # noqa: S608
    connection.execute("UPDATE generation_logs SET basis = CAST(X'01' || SUBSTR(basis, 2) AS BLOB)")
    connection.execute("UPDATE learned_state SET formula = 2")
    connection.commit()
    connection.close()


async def test_a_newer_database_recommends_and_is_never_changed(
    database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer version of the pack wrote it: this one reads what it understands, and says what to do."""
    service = await PreferenceService.open(database_file)
    await teach(service, rounds=12)
    await service.close()
    with sqlite3.connect(database_file) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0042'")  # noqa: S608
    connection.close()
    content = database_file.read_bytes()

    service = await PreferenceService.open(database_file, settings=LearningSettings(backups_kept=7))
    recommendation = await service.recommend("anime girl", ["a", "b", "c"])
    with pytest.raises(StoreUnavailable, match=r"schema 0042.*Update the pack") as raised:
        await teach(service)
    report = await service.database_report()
    await service.close()

    assert recommendation.checkpoints[0] == "a"
    assert recommendation.confidence > 0.3
    assert raised.value.code == "store_newer"
    assert (report.writable, report.judged) == (False, 12)
    assert "Update the pack" in report.problem
    assert "Update the pack" in caplog.text
    assert database_file.read_bytes() == content


async def test_a_database_that_becomes_newer_while_it_is_open_is_not_changed_any_more(
    service: PreferenceService, caplog: pytest.LogCaptureFixture
) -> None:
    """One of several ComfyUI was updated, and has migrated what they share."""
    await teach(service, rounds=12)

    async def migrate(connection: AsyncConnection) -> None:
        await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0042'"))  # noqa: S608

    await service._database.write(migrate)
    recommendation = await service.recommend("anime girl", ["a", "b", "c"])
    refused = await asyncio.gather(*(teach(service) for _ in range(3)), return_exceptions=True)

    assert {error.code for error in refused if isinstance(error, StoreUnavailable)} == {"store_newer"}
    assert all("schema 0042" in str(error) for error in refused)
    assert (await service.overview()).generations == 12
    again = await service.recommend("anime girl", ["a", "b", "c"])
    assert again.checkpoints[0] == recommendation.checkpoints[0] == "a"
    assert "Update the pack" in caplog.text


async def test_several_processes_opening_a_new_database_at_once_agree(database: str) -> None:
    """The first migrates, the others wait and find it done."""

    def open_and_close() -> str:
        async def version() -> str:
            service = await PreferenceService.open(database)
            try:
                return await service.learned_version()
            finally:
                await service.close()

        return asyncio.run(version())

    versions = await asyncio.gather(*(asyncio.to_thread(open_and_close) for _ in range(5)))

    assert len(set(versions)) == 1


def test_a_new_file_is_logged_ahead_by_all_who_open_it_at_once(tmp_path: Path) -> None:
    """SQLite tells some of them at once that it is locked, whatever their timeout."""
    together = threading.Barrier(8)

    def turn(path: Path) -> None:
        connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
        try:
            together.wait()
            engines._write_ahead(connection.cursor())
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            path = tmp_path / f"{number}.db"
            path.touch()
            list(threads.map(turn, [path] * 8))


_AMONG_OTHERS = """
import asyncio, importlib, logging, sys, threading
from alembic import context, op
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine

sys.path.insert(0, sys.argv[1])
learning = importlib.import_module(sys.argv[2] + ".learning")

engine = create_engine("sqlite://")
with engine.connect() as connection:
    with Operations.context(MigrationContext.configure(connection)) as mine:
        before = op._proxy, logging.getLogger().handlers[:], logging.getLogger("alembic").level
        async def opening():
            service = await learning.PreferenceService.open(sys.argv[3])
            await service.close()
        thread = threading.Thread(target=lambda: asyncio.run(opening()))
        thread.start()
        thread.join()
        assert (op._proxy, logging.getLogger().handlers[:], logging.getLogger("alembic").level) == before
        assert op._proxy is mine
engine.dispose()
print("undisturbed")
"""


@pytest.mark.parametrize("name", ["context_checkpoint", "ComfyUI-Context-Checkpoint", "pack with spaces"])
def test_another_migration_in_the_same_process_is_not_disturbed(tmp_path: Path, name: str) -> None:
    """ComfyUI migrates its own database with Alembic; ours runs in the same process, from a folder of any name."""
    import context_checkpoint

    (tmp_path / name).symlink_to(Path(context_checkpoint.__file__).resolve().parent)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _AMONG_OTHERS, str(tmp_path), name, str(tmp_path / "p.db")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "undisturbed\n", "")


async def test_what_was_learned_under_the_first_schema_is_the_same_under_the_newest(
    database_file: Path, tmp_path: Path
) -> None:
    """The models' numbers are counted in other units: the same scores, and a rebuild corrects nothing."""
    service = await PreferenceService.open(database_file)
    await teach(service, rounds=12)
    before = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    await service.close()
    old = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
    engine.dispose()
    with sqlite3.connect(old) as connection:
        connection.execute("ATTACH ? AS new", (str(database_file),))
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if name in metadata.tables
        ]
        for name in tables:
            connection.execute(f"DELETE FROM {name}")  # noqa: S608
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
            connection.execute(f"INSERT INTO {name} SELECT {columns} FROM new.{name}")  # noqa: S608
        counted = ("score", "information", "narrow", "middle", "wide", "precision")
        back = ", ".join(f'"{name}" = "{name}" / 1048576.0' for name in counted)
        connection.execute(f"UPDATE pair_statistics SET {back}")  # noqa: S608
    connection.close()

    service = await PreferenceService.open(old, settings=LearningSettings(backups_kept=7))
    after = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    report = await service.rebuild()
    overview = await service.overview()
    await service.close()

    assert after == before
    assert report.corrected == 0
    assert overview.judged == 12
    assert [copy.name for copy in (tmp_path / "backups").iterdir() if f"before-{REVISION}" in copy.name]


@pytest.mark.postgres
@pytest.mark.parametrize("released", ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008"])
async def test_a_servers_database_of_a_former_revision_learns_all_that_it_logged(
    postgres_url: str, tmp_path: Path, released: str
) -> None:
    """By the same revisions as a file; then it is taught on."""
    file = tmp_path / "new.db"
    service = await PreferenceService.open(file)
    await teach(service, rounds=9)
    await teach(service, rounds=3, winner="b")
    expected = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    await service.close()
    engine = create_async_engine(engines.parse(postgres_url))
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), released))
        await connection.run_sync(_copy_log_to_server, file)
    await engine.dispose()

    service = await PreferenceService.open(postgres_url)
    recommendation = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    await teach(service, rounds=2)
    report = await service.rebuild()
    judged = (await service.overview()).judged
    await service.close()

    assert (recommendation.confidence, recommendation.scores) == (expected.confidence, expected.scores)
    assert (report.corrected, judged) == (0, 14)


def _copy_log_to_server(server: Connection, file: Path) -> None:
    """As `_copy_log` does: today's log with an older version's tables and bases."""
    left = MetaData()
    left.reflect(server)
    with create_engine(f"sqlite:///{file}").connect() as there:
        for table in metadata.sorted_tables:
            if table.name in ("learned_state", "pair_statistics") or table.name not in left.tables:
                continue
            old = left.tables[table.name]
            columns = [table.c[name] for name in old.c.keys() if name in table.c]  # noqa: SIM118 - no dict
            rows = [dict(row) for row in there.execute(select(*columns)).mappings()]
            server.execute(old.delete())
            if rows:
                server.execute(old.insert(), rows)
        there.engine.dispose()
    serials = {"keywords": "id", "checkpoints": "id", "generation_logs": "number", "verdicts": "number"}
    for table, column in serials.items():
        sequence = f"pg_get_serial_sequence('{table}', '{column}')"
        server.execute(text(f"SELECT setval({sequence}, MAX({column})) FROM {table}"))  # noqa: S608
    server.execute(text("UPDATE generation_logs SET basis = SET_BYTE(basis, 0, 1)"))
    server.execute(text("UPDATE learned_state SET formula = 2"))


MIGRATING = """
import asyncio, sys, time
from alembic.migration import MigrationContext
from context_checkpoint.learning import PreferenceService

stamp, stamped = MigrationContext.stamp, []

def slowly(self, *arguments):
    stamp(self, *arguments)
    stamped.append(arguments)
    if len(stamped) == int(sys.argv[2]):
        print("in the middle", flush=True)
        time.sleep(600)

MigrationContext.stamp = slowly
asyncio.run(PreferenceService.open(sys.argv[1]))
"""


@pytest.mark.parametrize("revisions", [1, 2, 3])
async def test_a_migration_that_is_killed_half_way_has_not_happened(tmp_path: Path, revisions: int) -> None:
    """`kill -9` after some revisions, before the commit: the next start begins again, and nothing is lost."""
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    service = await PreferenceService.open(new)
    await teach(service, rounds=9)
    await service.close()
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
    engine.dispose()
    _copy_log(new, old)
    before = structure(old)

    kill_in_the_middle(MIGRATING, str(old), str(revisions))
    assert structure(old) == before

    service = await PreferenceService.open(old)
    assert (await service.overview()).judged == 9
    assert (await service.rebuild()).corrected == 0
    await service.close()
    assert structure(old) == structure(new)
