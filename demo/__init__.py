"""The demonstration, and the test ComfyUI that demonstration, tests and benchmarks share.

The nodes need nothing of it, and it imports none of them: it uses HTTP, as a person's script would.
"""
