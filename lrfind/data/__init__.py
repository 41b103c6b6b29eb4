"""Tables as training data: a file or a frame to tensors, with all that was inferred told.

Nothing here knows of sweeps or configs: `table` gives a `TensorDataset` that any loop can use, and
`mlp` a model of the right size for it.
"""

from lrfind.data.mlp import mlp
from lrfind.data.place import Place
from lrfind.data.table import Table, table

__all__ = ["Place", "Table", "mlp", "table"]
