"""How texts are spelled in the store, and how addresses are shown to people.

Separate because the service, verdicts and the recommender's caller must spell alike to the letter. The first two
functions give back their own output unchanged, so a name may pass through them any number of times.
"""

from __future__ import annotations

import re
from functools import lru_cache


def stored_text(text: str) -> str:
    """Replace what no database takes: NUL (PostgreSQL) and lone surrogates (neither can encode them)."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=4096)  # every question has the same few hundred names
def stored_name(checkpoint: str) -> str:
    """Spell a checkpoint's name as the store does: with `/`, whatever the system that listed it."""
    return stored_text(checkpoint.replace("\\", "/"))


def shown_address(database: str) -> str:
    """Give a database's path or address without its password, for messages and logs."""
    return re.sub(r"(://[^/@:]*):[^@]*@", r"\1:***@", database)
