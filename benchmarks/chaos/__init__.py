"""Trials that break things on purpose, and count what was acknowledged, found again and lost."""
