"""How to rank checkpoints from evidence: one policy per file, all interchangeable.

A policy is a pure function of values. It never reads the store, the clock or unseeded chance, so that the
same evidence and the same seed always rank alike.
"""

from __future__ import annotations

from .bayesian import Bayesian
from .contract import Policy
from .counts import Counts
from .global_rates import GlobalRates

_BY_NAME: dict[str, Policy] = {policy.name: policy for policy in (Bayesian(), Counts(), GlobalRates())}

POLICIES: tuple[str, ...] = tuple(_BY_NAME)
DEFAULT_POLICY = "bayesian"


def policy_named(name: str) -> Policy:
    """Give the policy of that name.

    Raises
    ------
    ValueError
        If there is none; the message names the choices.
    """
    if name not in _BY_NAME:
        raise ValueError(f"There is no policy {name!r}: choose one of {', '.join(POLICIES)}.")
    return _BY_NAME[name]


__all__ = ["DEFAULT_POLICY", "POLICIES", "Policy", "policy_named"]
