"""The paper's numbers, and a run's tables, figures and report beside them."""

from semcoder_lib.report import display, figures, paper, style, tables
from semcoder_lib.report.inputs import Inputs, read
from semcoder_lib.report.report import write_report

__all__ = ["Inputs", "display", "figures", "paper", "read", "style", "tables", "write_report"]
