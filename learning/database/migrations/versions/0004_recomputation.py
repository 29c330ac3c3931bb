"""Room for recomputing the statistics page by page, beside those that are in use.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0004"
down_revision = "0003"

_PAIRS = ("selected", "total", "rounds", "score", "information", "narrow", "middle", "wide", "precision")
_KEYWORDS = ("rounds", "fit_narrow", "fit_middle", "fit_wide", "fit_pooled", "surprise", "alone")


def upgrade(operations: Operations) -> None:
    operations.create_table(
        "recomputation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("formula", sa.Integer, nullable=False),
        sa.Column("former", sa.Boolean, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("keyword", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    operations.create_table(
        "pair_statistics_anew",
        sa.Column("keyword_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("checkpoint_id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in _PAIRS),
        sqlite_with_rowid=False,
    )
    operations.create_table(
        "keyword_sums_anew",
        sa.Column("keyword_id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in _KEYWORDS),
    )
