"""What other people's verdicts say, as files that were adopted.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0007"
down_revision = "0006"


def upgrade(operations: Operations) -> None:
    operations.create_table(
        "adopted_priors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
