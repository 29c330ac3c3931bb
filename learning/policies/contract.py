"""What every policy promises; `tests/learning/test_policies.py` runs one suite of it over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..values import Keyword, Ranking

if TYPE_CHECKING:
    import numpy

    from ..model.evidence import Evidence


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
        draft: bool = False,
    ) -> Ranking:
        """Rank all candidates, best first.

        Any number of keywords and candidates, none included, is fine. Equal scores stay in the candidates'
        order, so that a person's own order decides until something is known. Only `shown_order` after its
        first place may depend on `rng`, and on whether a `draft` is asked for: it is there to see many, and
        may leave more to chance.
        """
        ...

    def drawn(self, ranking: Ranking, rng: numpy.random.Generator, *, draft: bool = False) -> tuple[str, ...]:
        """The `shown_order` that `rank` gives with these, of a ranking that it gave with others.

        The ranking's names may have been spelled otherwise since, in all its fields.
        """
        ...
