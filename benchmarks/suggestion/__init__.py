"""How good LR suggestions are, measured: tasks, an oracle, a yardstick, systems and a report."""
