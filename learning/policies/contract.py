"""What every policy promises; `tests/learning/test_policies.py` runs one suite of it over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy

from ..values import Evidence, Keyword, Ranking


class Policy(Protocol):
    """Ranks candidates for a prompt's keywords from what verdicts taught."""

    @property
    def name(self) -> str: ...

    def rank(
        self,
        keywords: Sequence[Keyword],
        candidates: Sequence[str],
        evidence: Evidence,
        *,
        rng: numpy.random.Generator,
    ) -> Ranking:
        """Rank all candidates, best first.

        Any number of keywords and candidates, none included, is fine. Equal scores stay in the candidates'
        order unless the policy draws. Only `shown_order` after its first place may depend on `rng`, except
        that candidates nothing is known of may be drawn into any place.
        """
        ...
