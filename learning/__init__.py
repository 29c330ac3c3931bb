"""Learns from a person's verdicts which checkpoint to recommend for a prompt.

It knows nothing of ComfyUI, torch or HTTP, so a node, a route, the command line and a script can use it alike.
Names are imported on first use: importing SQLAlchemy takes a tenth of a second, which ComfyUI's start should not
pay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .service.service import PreferenceService
    from .values import Generation, Recommendation

_HOME = {"PreferenceService": ".service", "Generation": ".values", "Recommendation": ".values"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        try:
            return getattr(import_module(_HOME[name], __name__), name)
        except ImportError as error:
            from .requirements import missing_requirement

            if (missing := missing_requirement(error)) is not None:
                raise ImportError(missing.message, name=error.name) from error
            raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Generation", "PreferenceService", "Recommendation"]
