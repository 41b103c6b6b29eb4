"""Curves as CSV, and CSV of any origin as curves: exact, or refused with the line.

The last row of each seed tells in the column `stop` why the sweep ended. A file without that row
was cut or is still being written, and its curve reads as interrupted. A file that ends within a
line is refused: `0.01` may have lost digits.
"""

from lrfind.curve_csv.reading import from_blocks, from_csv
from lrfind.curve_csv.table import REMEDY
from lrfind.curve_csv.writing import to_csv

__all__ = ["REMEDY", "from_blocks", "from_csv", "to_csv"]
