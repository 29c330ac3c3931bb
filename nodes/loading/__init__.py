"""Loaded checkpoints and encoded texts: what is loaded, what stays in memory, and what is released."""
