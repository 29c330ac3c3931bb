"""What goes in and out over HTTP, as pydantic models: one module per resource, imported by its own name."""
