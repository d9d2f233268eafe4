"""Isolation with what the Linux kernel offers, called through ctypes: no helper program needed."""
