"""Measurements behind docs/benchmarks.md: `python run.py bench`.

They are no tests: they take their time, and a busy machine changes their numbers. What is compared is
measured in one run and in turn (A B A B), and reported as medians.
"""
