"""SemCoder, reproduced: programs, their executions, and models taught to reason about both."""

__version__ = "0.1.0"
