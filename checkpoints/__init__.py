"""Checkpoint files and the rules that choose among them, without ComfyUI: headers, families, globs and pools."""
