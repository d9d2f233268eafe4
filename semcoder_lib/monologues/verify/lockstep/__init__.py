"""Reads a simulation whose lines each start with a label, in lock-step with the trace."""
