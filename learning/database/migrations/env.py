"""What Alembic's own commands run here, given a connection: `revision --autogenerate` and `check` while
developing.

The pack itself upgrades through `migrations.upgrade`, which needs none of this.
"""

from __future__ import annotations

from alembic import context
from alembic.operations import Operations

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations(operations=Operations(context.get_context()))
