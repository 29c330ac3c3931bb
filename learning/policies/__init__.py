"""How to rank checkpoints from evidence: one policy per file, all interchangeable.

A policy is a pure function of values. It never reads the store, the clock or unseeded chance, so the same
evidence and the same seed always give the same ranking. A policy's module is imported when it is first asked
for, because ComfyUI's start only lists the names.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from .contract import Policy

_HOMES = {
    "bayesian": (".bayesian", "Bayesian"),
    "counts": (".counts", "Counts"),
    "global": (".global_rates", "GlobalRates"),
    "thompson": (".thompson", "Thompson"),
    "ucb": (".ucb", "UpperBound"),
}

POLICIES: tuple[str, ...] = tuple(_HOMES)
DEFAULT_POLICY = "bayesian"


@cache
def policy_named(name: str) -> Policy:
    """Give the policy of that name.

    Raises
    ------
    ValueError
        If there is none; the message names the choices.
    """
    if name not in _HOMES:
        raise ValueError(f"There is no policy {name!r}: choose one of {', '.join(POLICIES)}.")
    module, kind = _HOMES[name]
    policy: Policy = getattr(import_module(module, __name__), kind)()
    return policy


__all__ = ["DEFAULT_POLICY", "POLICIES", "Policy", "policy_named"]
