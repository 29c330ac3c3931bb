"""The use cases of one database."""

from .service import PreferenceService

__all__ = ["PreferenceService"]
