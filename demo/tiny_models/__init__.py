"""Tiny checkpoints that ComfyUI loads and that generate images of a known colour."""
