"""The paper's numbers, and a run's tables, figures and report beside them."""

from semcoder_lib.reporting import display, figures, paper, style, tables
from semcoder_lib.reporting.inputs import Inputs, read
from semcoder_lib.reporting.report import write_report

__all__ = ["Inputs", "display", "figures", "paper", "read", "style", "tables", "write_report"]
