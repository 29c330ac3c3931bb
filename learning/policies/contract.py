"""What every policy promises; `tests/learning/policies/test_policies.py` runs one suite over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..values import Keyword, Ranking

if TYPE_CHECKING:
    import numpy

    from ..model.evidence import Evidence


class Policy(Protocol):
    """Ranks candidates (arms) for a prompt's keywords (the context) by what verdicts (rewards) have taught."""

    @property
    def name(self) -> str: ...

    def rank(
        self,
        keywords: Sequence[Keyword],
        candidates: Sequence[str],
        evidence: Evidence,
        *,
        rng: numpy.random.Generator,
        draft: bool = False,
    ) -> Ranking:
        """Rank all candidates, best first.

        Any number of keywords and candidates is allowed, also none. Equal scores stay in the candidates'
        order, so that a person's own order decides until something is known.

        Parameters
        ----------
        evidence
            The sums of the keywords and the candidates; what is missing counts as zero.
        rng
            All chance there is. It may change `shown_order` behind the first place, and nothing else.
        draft
            Whether branches are for a draft, which is there to show many: it may leave more to chance.
        """
        ...
