"""Reads a backward monologue's deduction and decides it by the run of the input it arrives at."""
