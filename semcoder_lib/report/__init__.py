"""The paper's numbers, and a run's tables, figures and report beside them."""

from semcoder_lib.report import display, figures, paper
from semcoder_lib.report.report import facts, headline, read, write_report
from semcoder_lib.report.tables import FOLDERS, TABLES, Absent, Inputs

__all__ = [
    "FOLDERS", "TABLES", "Absent", "Inputs", "display", "facts", "figures", "headline", "paper",
    "read", "write_report",
]  # fmt: skip
