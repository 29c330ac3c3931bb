"""How each keyword's prompts went of late: how surprising, and how long nothing was compared.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0003"
down_revision = "0002"


def upgrade(operations: Operations) -> None:
    for name in ("surprise", "alone"):
        operations.add_column("keywords", sa.Column(name, sa.Float, nullable=False, server_default="0"))
