"""Makes the pictures of the README and the example workflows in a real browser."""
