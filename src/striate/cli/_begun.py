"""When the program began: what a command takes is counted from here."""

from time import perf_counter

BEGUN = perf_counter()
"""Of the first import; Python itself has taken some hundredths of a second before."""
