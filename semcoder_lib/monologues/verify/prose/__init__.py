"""Reads sentences about an execution, whoever wrote them, and decides what they state."""
