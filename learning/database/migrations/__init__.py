"""Bring a database to the newest schema, from code and without an `alembic.ini`.

Separate from `schema` so that an up-to-date database opens without importing Alembic at all. ComfyUI migrates
its own database with Alembic in the same process, and `alembic.op` and `alembic.context` are process-wide:
therefore each revision's `upgrade(operations)` is handed its own operations object here, and nothing global
is touched. No logging is configured. Downgrades are refused: a newer database is left alone for the newer
version to use.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ..schema import REVISION, VERSION_TABLE


def revision(connection: Connection) -> str | None:
    """The revision that a database is of; None where it has none of our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def bring_up_to_date(connection: Connection) -> None:
    """Run what is missing. Raises as `upgrade` does."""
    # Read again: while this one waited for its turn, another process may have upgraded.
    current = revision(connection)
    if current != REVISION:
        upgrade(connection, current)


def upgrade(connection: Connection, current: str | None) -> None:
    """Run every revision after `current` (None: all) inside the connection's transaction, and note each.

    Raises
    ------
    LookupError
        If `current` is none of the known revisions: a newer version of the pack has written it.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent))
    oldest_first = list(scripts.walk_revisions())[::-1]
    known = [script.revision for script in oldest_first]
    if current is not None and current not in known:
        raise LookupError(current)
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    for script in oldest_first[0 if current is None else known.index(current) + 1 :]:
        script.module.upgrade(Operations(context))
        context.stamp(scripts, script.revision)
