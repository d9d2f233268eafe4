"""Runs: a notebook at work (`begin`), all notebooks in order, doctor, demo, command line."""
