"""What settings and LoRAs made each image, and images that were there before.

Both new columns are NULL in every row, so that adding them takes no time, and their indexes leave such rows out.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0006"
down_revision = "0005"


def upgrade(operations: Operations) -> None:
    operations.create_table(
        "image_settings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("settings", sa.Text, nullable=False),
    )
    operations.create_table(
        "import_batches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    # Alembic adds a foreign key in a second statement, which SQLite does not have.
    operations.execute("ALTER TABLE generation_images ADD COLUMN settings_id INTEGER REFERENCES image_settings (id)")
    operations.add_column("generation_images", sa.Column("source_id", sa.String(32)))
    for name in ("settings_id", "source_id"):
        known = sa.text(f"{name} IS NOT NULL")
        operations.create_index(
            f"generation_images_{name}", "generation_images", [name], sqlite_where=known, postgresql_where=known
        )
