"""Reading curves."""
