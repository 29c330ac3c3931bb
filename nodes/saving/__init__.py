"""Saving images with what made them: which place an image has in its generation, and how it is written into a file."""
