"""The paper's numbers, and a run's tables, figures and report beside them."""

from semcoder_lib.report import display, figures, paper, style
from semcoder_lib.report.inputs import FOLDERS, Absent, Inputs, read
from semcoder_lib.report.report import facts, headline, write_report
from semcoder_lib.report.tables import TABLES

__all__ = [
    "FOLDERS",
    "TABLES",
    "Absent",
    "Inputs",
    "display",
    "facts",
    "figures",
    "headline",
    "paper",
    "read",
    "style",
    "write_report",
]
