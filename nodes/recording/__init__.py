"""Generations in the recorder: which image belongs to which checkpoint, how it is logged, paused and judged."""
