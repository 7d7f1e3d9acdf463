"""A training program that would cheat: it looks for the held-out days, and says what it has found."""

import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlparse

import pyarrow.parquet as pq


def reach(endpoint: str) -> str:
    address = urlparse(endpoint)
    try:
        with socket.create_connection((address.hostname, address.port), timeout=5):
            return "within reach"
    except OSError:
        return "out of reach"


def main() -> None:
    endpoint, store = sys.argv[1], Path(sys.argv[2])
    channel = Path(os.environ["SM_CHANNEL_TRAIN"])
    shards = sorted(channel.glob("train-*.parquet"))
    rows = pq.read_table(shards)
    others = sorted(path.name for path in channel.parent.rglob("*.parquet") if path not in shards)
    found = [
        f"training rows: {rows.num_rows}",
        f"columns: {', '.join(rows.column_names)}",
        f"files beside the training rows: {', '.join(others) or 'none'}",
        f"credentials: {', '.join(name for name in os.environ if name.startswith('AWS')) or 'none'}",
        f"stored objects: {len([path for path in store.rglob('*') if path.is_file()])}",
        f"S3: {reach(endpoint)}",
    ]
    (Path(os.environ["SM_OUTPUT_DIR"]) / "failure").write_text("; ".join(found))
    sys.exit(1)


if __name__ == "__main__":
    main()
