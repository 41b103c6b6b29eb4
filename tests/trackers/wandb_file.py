"""An offline run of Weights & Biases, read back.

The file is a header of 7 bytes, then a log in LevelDB's form: blocks of 32 KiB, records of CRC (4
bytes), length (2), type (1: whole, 2: first part, 3: middle, 4: last) and data, each a message of
wandb's own protocol.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK = 7, 32768


def messages(path: Path) -> Iterator[Any]:
    """Decode the messages of a `.wandb` file, in order."""
    from wandb.proto import wandb_internal_pb2

    whole = b""
    for kind, data in chunks(path.read_bytes()):
        whole = whole + data if kind in (3, 4) else data
        if kind in (1, 4):
            message = wandb_internal_pb2.Record()
            message.ParseFromString(whole)
            yield message


def chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a log into typed parts of records."""
    at = HEADER
    while at + 7 <= len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        yield kind, data[at + 7 : at + 7 + length]
        at += 7 + length


def values(items: Any) -> dict[str, Any]:
    """Take the values of a message's items, whose keys may be nested."""
    return {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
