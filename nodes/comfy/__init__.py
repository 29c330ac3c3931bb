"""The only room that uses ComfyUI's inside: one module per concept, so that a change in ComfyUI is mended in one place.

The nodes themselves use ComfyUI's public API (`comfy_api.latest`). What is not public is guarded here: where it is
missing, something becomes slower or less exact, and nothing fails.
"""
