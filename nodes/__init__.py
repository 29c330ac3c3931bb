"""The ComfyUI nodes. Importing this package imports nothing, so that `nodes.pool` works without ComfyUI."""
