"""The page of a run: `report.html`, made from the run folder's saved results only."""

from striate.report._write import write_report

__all__ = ["write_report"]
