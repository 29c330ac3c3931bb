"""Sums of the log, which the panel reads instead of the whole of it, and indexes for its pages.

The models' numbers are multiples of 2**-20: counted in these, they take three bytes and not eight.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"

_COUNTED = ("score", "information", "narrow", "middle", "wide", "precision")


def upgrade(operations: Operations) -> None:
    counted = ", ".join(f'"{name}" = "{name}" * 1048576.0' for name in _COUNTED)
    operations.execute(f"UPDATE pair_statistics SET {counted}")  # noqa: S608 - constants
    operations.create_table(
        "log_blocks",
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in (
                "generations",
                "judged",
                "agreed",
                "exploited",
                "images",
                "images_saved",
                "selected",
                "rejected",
                "rejected_all",
            )
        ),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
    )
    for table, key, number in (
        ("keyword_pairs", "keyword_id", "pairs"),
        ("checkpoint_images", "checkpoint_id", "images"),
    ):
        operations.create_table(
            table,
            sa.Column(key, sa.Integer, primary_key=True, autoincrement=False),
            sa.Column(number, sa.Integer, nullable=False),
        )
    state = operations.create_table(
        "log_sums",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("verdict", sa.Integer, nullable=False),
        sa.Column("pairs_verdict", sa.Integer, nullable=False),
    )
    operations.bulk_insert(state, [{"id": 1, "generation": 0, "verdict": 0, "pairs_verdict": 0}])
    operations.create_index("pair_statistics_total", "pair_statistics", ["total"])
    operations.create_index("pair_statistics_checkpoint", "pair_statistics", ["checkpoint_id", "total"])
    operations.create_index("generation_images_checkpoint", "generation_images", ["checkpoint_id", "generation_number"])
