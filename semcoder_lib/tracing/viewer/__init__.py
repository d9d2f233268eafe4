"""A trace to look at: the source on the left, the values on the right, one step at a time."""

from semcoder_lib.tracing.viewer.page import Viewer, show

__all__ = ["Viewer", "show"]
