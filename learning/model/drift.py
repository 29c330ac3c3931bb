"""When what was learned is to be doubted: verdicts that went against it, and too long without a comparison.

Separate from the models, which believe all verdicts alike, because tastes change and nobody says so. Two
signs are looked at, each per keyword and weighed by what the keywords tell of the prompt:

- *Surprise*: verdicts of late were foretold worse than they should have been. A picture shown alone because
  it was sure to be kept, and then rejected, is the plainest sign. The utilities then count as less well known
  than their sums say: confidence falls, more checkpoints are shown, and other ones are tried. What surprises
  on all prompts together counts as well: whose taste has changed in one may have changed in others.
- *Staleness*: accepting a picture that is shown alone says little of the others. Where nothing has been
  compared on such prompts for a long time, the evidence counts less from round to round, until two are shown
  again. That is the exploration that never ends: about one round of forty, sooner where less is known.
"""

from __future__ import annotations

from .confidence import Numbers
from .evidence_arrays import EvidenceArrays

_CALM = 0.3  # nats that chance alone brings about now and then
_WIDENING = 10.0  # by how much one nat of doubt multiplies variances
_FRESH_ROUNDS = 30.0  # so many rounds without a comparison change nothing
_STALE_ROUNDS = 20.0  # and so many more halve the evidence


def drift(held: EvidenceArrays, shares: Numbers) -> float:
    """Nats beyond calm by which verdicts on such prompts went against what was foretold, at least 0.

    Parameters
    ----------
    shares
        How much each keyword has to say of the prompt, `[K]`.
    """
    of_words = max(0.0, float(shares @ held.surprises[1:]))
    of_all = max(0.0, float(held.surprises[0]))
    return max(0.0, of_words + of_all - _CALM)


def widened(variances: Numbers, doubted: float) -> Numbers:
    """Variances as they are to be believed under a doubt."""
    wide: Numbers = variances * (1.0 + _WIDENING * doubted)
    return wide


def staleness_discount(held: EvidenceArrays, shares: Numbers) -> float:
    """What the evidence is still worth, in 0..1: 1 right after a comparison."""
    beyond = max(0.0, float(shares @ held.exploit_streak) - _FRESH_ROUNDS)
    return 1.0 / (1.0 + (beyond / _STALE_ROUNDS) ** 2)
