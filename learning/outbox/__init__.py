"""What waits on this machine while the database cannot be written."""
