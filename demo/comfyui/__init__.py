"""A real ComfyUI for the demonstration, the tests and the benchmarks: found, started, and used over HTTP."""
