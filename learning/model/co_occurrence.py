"""Which words of a prompt keep company: they stood in the same rounds before, and those said the same.

Separate from `word_weights`, which asks of each word alone whether it tells anything. A template's words
come together, while the words of whatever is put into it come as they like. Nobody counts pairs of words,
of which a long prompt has thousands: what a word's rounds showed and said, per checkpoint, is kept
anyway, and is much like a signature of these rounds. Two words with the same rounds have the same row of
it, those with none in common have rows at right angles, and in between their cosine is about the part
that they share. (Rows of contexts as a word's signature: Kanerva et al., Random Indexing of Text Samples,
CogSci 2000.)

It needs some checkpoints to tell rows apart: among one or two every word keeps company with every other.
"""

from __future__ import annotations

import numpy

from .confidence import Numbers
from .evidence_arrays import EvidenceArrays

_FEWEST_CHECKPOINTS = 3
_BY_CHANCE = 0.5  # cosines that rows of words with nothing in common now and then have
_HALF = 1.0  # so much company makes one half
_TELLS_RARITY = 2.0  # nats from which on a companion counts whole


def company(held: EvidenceArrays, residuals: Numbers, rarity: Numbers) -> Numbers:
    """How much company each keyword has among the others, `[K]` in 0..1; all 1 where it cannot be known.

    Parameters
    ----------
    residuals
        What each keyword's rounds say beyond all rounds, `[K, C]`.
    rarity
        Nats, `[K]`: to stand beside a word that stands everywhere is no company.
    """
    totals = held.pairs.field("total")
    if totals.shape[1] < _FEWEST_CHECKPOINTS:
        return numpy.ones(len(totals))
    of_all = held.overall.field("total")
    expected = totals.sum(axis=1)[:, None] * (of_all / max(1.0, float(of_all.sum())))
    shown, said = _directions(totals - expected), _directions(residuals)
    cosines = 0.5 * (shown @ shown.T + said @ said.T)
    numpy.fill_diagonal(cosines, 0.0)
    together = numpy.maximum(0.0, (cosines - _BY_CHANCE) / (1.0 - _BY_CHANCE))
    found: Numbers = together @ numpy.minimum(1.0, numpy.maximum(0.0, rarity) / _TELLS_RARITY)
    return found / (found + _HALF)


def _directions(rows: Numbers) -> Numbers:
    """Each row at unit length; one of nothing stays nothing."""
    lengths = numpy.sqrt(numpy.einsum("kc,kc->k", rows, rows))
    units: Numbers = rows / numpy.where(lengths > 0.0, lengths, 1.0)[:, None]
    return units
