"""CSV text to curves: in blocks where a long file is plain, row by row wherever it is not."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from lrfind.curve import Curve
from lrfind.curve_csv.table import REMEDY, Refuse, Table
from lrfind.errors import InputError, Problem
from lrfind.intake import as_text


def from_csv(text: str, path: Path) -> tuple[Curve, ...]:
    """Read curves from the text of a whole file; see `from_blocks`."""
    return from_blocks([text.encode()], path)


def from_blocks(blocks: Iterable[bytes], path: Path) -> tuple[Curve, ...]:
    """Read curves; only the columns `lr` and `loss` must be there, unknown ones are ignored.

    Without a column `stop` why a sweep ended is decided again by the default stop rule. Time
    grows in step with the text, and memory with the points: 24 bytes each and a few blocks.

    Args:
        blocks: of whole lines, one after the other; a file that is one block is read row by row.
        path: to name in errors.

    Raises:
        InputError: the text is damaged, with the line where there is one.
    """

    def refuse(what: str, *, line: int | None = None, remedy: str = REMEDY) -> InputError:
        return InputError(Problem(str(path) if line is None else f"{path}:{line}", what, remedy))

    lines = _Lines(blocks, path, refuse)
    reader = csv.reader(lines, strict=True)
    try:
        table = Table(next(reader, []), refuse)
        lines.require_ends()
        while True:
            while (block := lines.whole_block()) and table.add_block(block):
                lines.skip(block)
            row = next(reader, None)
            if row is None:
                break
            if row:
                table.add(row, lines.skipped + reader.line_num)
    except csv.Error as error:
        line = lines.skipped + reader.line_num
        raise refuse(f"is no CSV: {error}", line=line) from None
    curves = table.curves
    if not curves:
        raise refuse("holds no rows")
    return curves


class _Lines:
    """The lines of a file that comes in blocks, some of which may be taken as a whole.

    Args:
        blocks: of whole lines.
        path: to name in errors.
        refuse: makes errors.

    Attributes:
        skipped: lines that were taken with their block.
    """

    def __init__(self, blocks: Iterable[bytes], path: Path, refuse: Refuse) -> None:
        self._path = path
        self._refuse = refuse
        rest = iter(blocks)
        first = next(rest, b"").removeprefix(codecs.BOM_UTF8)
        second = next(rest, None)
        self._is_long = second is not None
        if second is not None:
            # The header stands apart, so that all behind it can be taken as a whole.
            end = first.find(b"\n") + 1
            rest = chain([first[end:], second], rest)
            first, second = first[:end], next(rest)
        self._coming, self._rest = second, rest
        self._ended = 0
        self._has_header = False
        self._cut_at: int | None = None
        self.skipped = 0
        self._lines = self._opened(first)
        self._line = next(self._lines, None)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while self._line is None:
            if self._coming is None:
                raise StopIteration
            block, self._coming = self._coming, next(self._rest, None)
            self._lines = self._opened(block)
            self._line = next(self._lines, None)
        line, self._line = self._line, next(self._lines, None)
        return line

    def require_ends(self) -> None:
        """Refuse a last line without its end, now that the header is known.

        Raises:
            InputError: it has come already.
        """
        self._has_header = True
        if self._cut_at is not None:
            what = "the last line has no end, so it may be cut off"
            remedy = "complete it or take it out, and end the file with a line break"
            raise self._refuse(what, line=self._cut_at, remedy=remedy)

    def whole_block(self) -> bytes | None:
        """Look at the block that comes, where lines end before it and a long file goes on."""
        coming = self._coming if self._is_long and self._line is None else None
        return coming if coming is not None and coming.endswith(b"\n") else None

    def skip(self, block: bytes) -> None:
        """Leave out the block that comes."""
        count = block.count(b"\n")
        self.skipped += count
        self._ended += count
        self._coming = next(self._rest, None)

    def _opened(self, block: bytes) -> Iterator[str]:
        text = as_text(block, self._path, first_line=self._ended + 1)
        self._ended += block.count(b"\n")
        if self._coming is None and not text.endswith(("\n", "\r")):
            self._cut_at = self._ended + 1
            if self._has_header:
                self.require_ends()
        # Over bytes, because a StringIO spends four of them on a character.
        return io.TextIOWrapper(io.BytesIO(block), encoding="utf-8", newline="")
