"""What was known of each image's LoRAs when it was shown.

The new column is NULL in every row, so that adding it takes no time.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0008"
down_revision = "0007"


def upgrade(operations: Operations) -> None:
    operations.add_column("generation_images", sa.Column("lora_utility", sa.Float))
