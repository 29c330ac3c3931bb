"""What a person writes about a generation.

The new column has a default, so that adding it takes no time; its index has only the generations with a note.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0009"
down_revision = "0008"


def upgrade(operations: Operations) -> None:
    operations.add_column("generation_logs", sa.Column("note", sa.Text, nullable=False, server_default=""))
    written = sa.text("note <> ''")
    operations.create_index(
        "generation_logs_note", "generation_logs", ["number"], sqlite_where=written, postgresql_where=written
    )
