"""The demonstration, and the tiny ComfyUI that demonstration, tests and benchmarks share.

Nothing here is needed by the nodes, and nothing here imports them: it stands outside and speaks HTTP, as a
person's script would.
"""
