"""The ComfyUI nodes. Importing this package imports nothing, so that modules without ComfyUI stay importable."""
