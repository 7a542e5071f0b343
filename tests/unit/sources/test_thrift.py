"""What one column took is there for the next."""

import subprocess
import sys

READ = """
import gc, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from bot.sources.columns import columns_of, side_by_side
import pyarrow.dataset as ds

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024

pq.write_table(pa.table({f"n{i}": np.random.default_rng(i).normal(size=1_000_000) for i in range(6)}), sys.argv[1])
data = ds.dataset(sys.argv[1])
pieces = list(data.get_fragments())

def read():
    columns = columns_of(pieces, data.schema, 1_000_000)
    side_by_side(lambda name: float(np.sort(columns.column(name).to_numpy())[0]), data.schema.names, parallel=True)

read()
gc.collect()
before = held()
for _ in range(3):
    read()
print(held() - before, pa.default_memory_pool().backend_name)
"""


def test_reading_large_columns_again_and_again_holds_no_more(tmp_path):
    told = subprocess.run([sys.executable, "-c", READ, tmp_path / "log.parquet"], capture_output=True, text=True, check=True)
    grown, pool = told.stdout.split()

    assert pool == "system"
    assert float(grown) < 16  # of 144 MB that were read
