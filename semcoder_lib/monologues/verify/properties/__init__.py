"""Claims about every run of a program, decided by running it."""
