"""How much more a keyword's verdicts count by now than those before anything was doubted.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0005"
down_revision = "0004"


def upgrade(operations: Operations) -> None:
    for table in ("keywords", "keyword_sums_anew"):
        operations.add_column(table, sa.Column("growth", sa.Float, nullable=False, server_default="0"))
