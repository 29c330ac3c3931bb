"""A server that several machines share, and a local file that stands in for it while it is offline."""
