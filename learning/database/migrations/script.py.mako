"""${message}.

Revision ID: ${up_revision}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade(operations: Operations) -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
