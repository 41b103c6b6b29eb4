"""Whatever a user has in rows and columns, as one frame with named columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import BadZipFile

from lrfind.data.csv_text import CsvForm, read_csv
from lrfind.data.place import Place, table_file
from lrfind.errors import InputError
from lrfind.extras import require_recent
from lrfind.registry import load_target, nearest, parse_target

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_BYTES = 2 << 30
"""Size above which a file is read only in part: all of it would be held in memory."""

TARGET = "target"
"""Name of the target of what has names for its features only."""

_CSV = (".csv", ".tsv", ".tab", ".txt")
_SUFFIXES = (*_CSV, ".parquet", ".npz", ".npy")


@dataclass(frozen=True, slots=True)
class Source:
    """A table as it was read.

    Attributes:
        name: what to call it in messages: `iris.csv`.
        frame: its columns, by text names.
        target: the column that it calls its target itself.
        classes: names of that column's codes 0, 1, 2, …, where it has some.
    """

    name: str
    frame: DataFrame
    target: str | None = None
    classes: tuple[str, ...] = ()


def read_source(given: Any, form: CsvForm, rows: int | None, place: Place) -> Source:
    """Read a file, call what an import path names, or take an object as it comes.

    Args:
        given: path of a CSV, Parquet, npz or npy file; import path of a function or object that
            gives any of the following; a DataFrame, a scikit-learn bunch, a mapping of arrays, a
            pair `(X, y)`, or an array.
        form: how a CSV file is written.
        rows: read these many from the start; None for all.
        place: where relative paths start, and whom to blame.

    Raises:
        InputError: it is none of these, or no table can be read from it.
    """
    if isinstance(given, str | Path):
        text = str(given)
        path = table_file({"path": text}, place.folder)
        if path is None and ":" in text and Path(text).suffix.lower() not in _SUFFIXES:
            source = _imported(text, place)
        else:
            source = _read_file(path or place.folder / text, form, rows, place)
    else:
        source = _from_object(given, type(given).__name__, place)
    frame = source.frame if rows is None else source.frame.iloc[:rows]
    frame = frame.rename(columns=str).infer_objects()
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        what = f"{source.name} has several columns called {twice[0]!r}"
        raise place.error(what, "give each a name of its own", "path")
    return Source(source.name, frame, source.target, source.classes)


def _imported(text: str, place: Place) -> Source:
    try:
        parse_target(text)
    except InputError as error:
        problem = error.problems[0]
        raise place.error(f"= {text!r} {problem.what}", problem.remedy, "path") from None
    where = place.problem("", "", "path").where
    found = load_target(text, place.folder, where, "path")
    return _from_object(found() if callable(found) else found, text, place)


def _read_file(path: Path, form: CsvForm, rows: int | None, place: Place) -> Source:
    if not path.is_file():
        what = f"there is no file {path}"
        raise place.error(what, f"paths start from {place.folder.resolve()}", "path")
    size, suffix = path.stat().st_size, path.suffix.lower()
    if size > MAX_BYTES and rows is None:
        what = f"{path.name} has {size / 2**30:.1f} GiB, above {MAX_BYTES >> 30} GiB"
        remedy = "a sweep sees a few hundred batches: rows: 100000 reads as many from its start"
        raise place.error(what, remedy, "path")
    if suffix in _CSV:
        return Source(path.name, read_csv(path, form, rows, place))
    if suffix == ".parquet":
        return Source(path.name, _read_parquet(path, rows, place))
    if suffix in (".npz", ".npy"):
        return _from_object(_read_arrays(path, place), path.name, place)
    what = f"{path.name} ends in {suffix or 'nothing'}, and is read by its ending"
    remedy = "CSV (.csv, .tsv), .parquet, .npz and .npy are read; any other: name a function"
    raise place.error(what, remedy, "path")


def _read_parquet(path: Path, rows: int | None, place: Place) -> DataFrame:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        what = f"{path.name} is a Parquet file, which needs pyarrow"
        raise place.error(what, "pip install 'lrfind[parquet]'", "path") from None
    require_recent("parquet", place.problem("", "", "path").where)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            groups = map(file.metadata.row_group, range(file.num_row_groups))
            size = sum(group.total_byte_size for group in groups)
            if rows is None and size > MAX_BYTES:
                what = f"{path.name} unfolds to {size / 2**30:.1f} GiB"
                remedy = "rows: 100000 reads as many from its start"
                raise place.error(what, remedy, "path")
            batches = file.iter_batches(rows or 1 << 16)
            parts = list(islice(batches, None if rows is None else 1))
            found = pyarrow.Table.from_batches(parts, file.schema_arrow).to_pandas()
            return cast("DataFrame", found)
    except (pyarrow.ArrowException, OSError) as error:
        raise place.error(f"{path.name}: {error}", "check the file", "path") from None


def _read_arrays(path: Path, place: Place) -> Any:
    import numpy as np

    try:
        # Never with pickle, which runs code.
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return found if isinstance(found, np.ndarray) else {name: found[name] for name in found}
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        remedy = "save numbers with np.save or np.savez"
        raise place.error(f"{path.name} cannot be read: {error}", remedy, "path") from None


def _from_object(given: Any, name: str, place: Place) -> Source:
    import numpy as np
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        return Source(name, given)
    if isinstance(given, Mapping) and "data" in given and "target" in given:
        return _from_bunch(given, name, place)
    if isinstance(given, Mapping):
        parts = {str(key): np.asarray(value) for key, value in given.items()}
        return Source(name, _beside_each_other(parts, name, place))
    if isinstance(given, tuple) and len(given) == 2:
        return _from_bunch({"data": given[0], "target": given[1]}, name, place)
    if hasattr(given, "__array__"):
        return Source(name, _columns("", np.asarray(given), name, place))
    what = f"{name} gives a {type(given).__name__}"
    remedy = "give a DataFrame, a bunch, (X, y), a mapping of arrays or an array"
    raise place.error(what, remedy, "path")


def _from_bunch(bunch: Mapping[str, Any], name: str, place: Place) -> Source:
    """Take `data` and `target` of a scikit-learn bunch, with the names it has for them."""
    import numpy as np
    import pandas as pd

    data, values = bunch["data"], np.asarray(bunch["target"])
    frame = data if isinstance(data, pd.DataFrame) else _columns("", np.asarray(data), name, place)
    names = bunch.get("feature_names")
    if names is not None and not isinstance(data, pd.DataFrame) and len(names) == frame.shape[1]:
        frame = frame.set_axis([str(each) for each in names], axis=1)
    if values.ndim != 1 or len(values) != len(frame):
        what = f"{name} has a target of shape {values.shape} for {len(frame)} rows of data"
        raise place.error(what, "give one value a row", "path")
    own = getattr(bunch["target"], "name", None)
    target = str(own) if own is not None and str(own) not in frame else TARGET
    classes = bunch.get("target_names")
    is_coded = values.dtype.kind in "iu" and classes is not None and not isinstance(classes, str)
    known = tuple(map(str, classes)) if is_coded and classes is not None else ()
    if known and not (values.min() >= 0 and values.max() < len(known)):
        known = ()
    return Source(name, frame.assign(**{target: values}), target, known)


def _beside_each_other(parts: Mapping[str, Any], name: str, place: Place) -> DataFrame:
    import pandas as pd

    lengths = {key: part.shape[0] if part.ndim else 0 for key, part in parts.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{key}: {length}" for key, length in lengths.items()) or "nothing"
        what = f"{name} holds arrays of different lengths ({told})"
        raise place.error(what, "keep one row a sample in each", "path")
    return pd.concat([_columns(key, part, name, place) for key, part in parts.items()], axis=1)


def _columns(key: str, array: Any, name: str, place: Place) -> DataFrame:
    """Make a frame of an array: of two axes each column is `key0`, `key1`, …."""
    import pandas as pd

    if array.dtype.names is not None:
        return pd.DataFrame({field: array[field] for field in array.dtype.names})
    if array.ndim == 1 and key:
        return pd.DataFrame({key: array})
    if array.ndim != 2:
        what = f"{name} holds {key or 'an array'} of shape {array.shape}; a table has two axes"
        raise place.error(what, "flatten it, or give a Dataset of your own as data", "path")
    return pd.DataFrame(array, columns=[f"{key}{i}" for i in range(array.shape[1])])


def require_column(source: Source, name: str | int, argument: str, place: Place) -> str:
    """Find a column by its name, or by its number where columns have no names.

    Raises:
        InputError: there is none, with the nearest one that there is.
    """
    names = list(source.frame.columns)
    if isinstance(name, int) and not isinstance(name, bool) and str(name) not in names:
        if -len(names) <= name < len(names):
            return str(names[name])
        what = f"= {name} is no column of {source.name}, which has {len(names)}"
        raise place.error(what, "count from 0, or from the end with -1", argument)
    if str(name) not in names:
        what = f"= {str(name)!r} is no column of {source.name}"
        raise place.error(what, nearest(str(name), names[:200]), argument)
    return str(name)
