"""Which words of a prompt co-occur: they stood in the same rounds before, and the verdicts there agreed.

Separate from `word_weights`, which asks of each word alone whether it is informative. A template's words come
together; the words put into it come in any combination. Pairs of words are not counted, since a long prompt
has thousands. But the store has a row of sums for each word, one number per checkpoint, and that row is much
like a signature of the word's rounds. Two words with the same rounds have the same row, two with none in
common have orthogonal ones, and in between their cosine is about the part that they share (Kanerva et al.,
Random Indexing of Text Samples, CogSci 2000).

Rows of one or two numbers cannot be told apart, so among so few checkpoints all words count as co-occurring.
"""

from __future__ import annotations

import numpy

from .confidence import Numbers
from .evidence_arrays import EvidenceArrays

_FEWEST_CHECKPOINTS = 3
_BY_CHANCE = 0.5  # cosines up to which rows of words with nothing in common come by chance
_HALF = 1.0  # the sum over companions that gives one half
_FULL_RARITY = 2.0  # nats from which on a companion counts whole


def co_occurrence(arrays: EvidenceArrays, residuals: Numbers, rarity: Numbers) -> Numbers:
    """How much each keyword co-occurs with the others, `[K]` in 0..1; all 1 where it cannot be known.

    Parameters
    ----------
    residuals
        What each keyword's rounds say beyond all rounds, `[K, C]`.
    rarity
        Nats, `[K]`: a word that stands in every prompt is no companion.
    """
    totals = arrays.pairs.field("total")
    if totals.shape[1] < _FEWEST_CHECKPOINTS:
        return numpy.ones(len(totals))
    of_all = arrays.overall.field("total")
    expected = totals.sum(axis=1)[:, None] * (of_all / max(1.0, float(of_all.sum())))
    shown, preferred = _unit_rows(totals - expected), _unit_rows(residuals)
    cosines = 0.5 * (shown @ shown.T + preferred @ preferred.T)
    numpy.fill_diagonal(cosines, 0.0)
    together = numpy.maximum(0.0, (cosines - _BY_CHANCE) / (1.0 - _BY_CHANCE))
    companions: Numbers = together @ numpy.minimum(1.0, numpy.maximum(0.0, rarity) / _FULL_RARITY)
    return companions / (companions + _HALF)


def _unit_rows(rows: Numbers) -> Numbers:
    """Each row at unit length; a row of zeros stays one."""
    lengths = numpy.sqrt(numpy.einsum("kc,kc->k", rows, rows))
    units: Numbers = rows / numpy.where(lengths > 0.0, lengths, 1.0)[:, None]
    return units
