"""What a person's image files say: which checkpoint made them, and which of them the person kept."""
