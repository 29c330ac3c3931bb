"""How well the words that negative prompts lack are suggested."""
