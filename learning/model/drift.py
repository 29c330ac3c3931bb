"""Signs that a taste has changed: surprising verdicts, and too long without a comparison.

Separate from the models, which trust all verdicts alike: tastes change, and nobody reports it. There are two
signs, each kept per keyword and averaged over a prompt's keywords by their shares:

- *Surprise*: recent verdicts were predicted worse than a correct model would have predicted them. The plainest
  case is a picture shown alone because it was sure to be kept, and then rejected. The utilities then count as
  less well known than their sums say: confidence falls, more checkpoints are shown, and others are tried.
  Surprise over all prompts counts as well, since a taste that changed in one kind may have changed in others.
- *Staleness*: accepting a picture that is shown alone says little about the other checkpoints. Where nothing has
  been compared on such prompts for a long time, the evidence is discounted more with each generation, until
  two are shown again. So exploration never ends: about one generation in forty compares, sooner where less is
  known.
"""

from __future__ import annotations

from .confidence import Numbers
from .evidence_arrays import EvidenceArrays

_CALM = 0.3  # nats of surprise that chance alone produces now and then
_WIDENING = 10.0  # one nat of drift multiplies variances by 1 + this
_FRESH_ROUNDS = 30.0  # so many generations without a comparison change nothing
_STALE_ROUNDS = 20.0  # and so many more halve the evidence


def drift(arrays: EvidenceArrays, shares: Numbers) -> float:
    """The surprise, in nats beyond what chance produces, of recent verdicts on such prompts; at least 0.

    Parameters
    ----------
    shares
        Each keyword's share in what the prompt says, `[K]` (`word_weights.shares`).
    """
    of_words = max(0.0, float(shares @ arrays.surprises[1:]))
    of_all = max(0.0, float(arrays.surprises[0]))
    return max(0.0, of_words + of_all - _CALM)


def widened(variances: Numbers, drift_nats: float) -> Numbers:
    """Variances as they are under a drift."""
    wide: Numbers = variances * (1.0 + _WIDENING * drift_nats)
    return wide


def staleness_discount(arrays: EvidenceArrays, shares: Numbers) -> float:
    """The factor in 0..1 by which the evidence still counts: 1 right after a comparison."""
    beyond = max(0.0, float(shares @ arrays.exploit_streak) - _FRESH_ROUNDS)
    return 1.0 / (1.0 + (beyond / _STALE_ROUNDS) ** 2)
