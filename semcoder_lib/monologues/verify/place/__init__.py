"""Where in the trace free prose is, how it moves, and what holds there."""
