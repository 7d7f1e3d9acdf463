"""What a user would write instead: reads features, scores them and writes predictions, a file at a time, on one thread.

python _score_script.py MODEL FOLDER OUT ID COLUMN,COLUMN,...: prints the seconds that all files took, the second time.
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

model, given, out, row_id, columns = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5].split(",")
pa.set_cpu_count(1)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options)
name, probabilities = session.get_inputs()[0].name, session.get_outputs()[-1].name
began = 0.0
for _ in range(2):
    began = time.perf_counter()
    for file in sorted(given.glob("features-*.parquet")):
        table = pq.read_table(file, columns=[row_id, *columns], use_threads=False)
        rows = np.column_stack([table[column].to_numpy() for column in columns]).astype(np.float32)
        scores = session.run([probabilities], {name: rows})[0][:, 1].astype(np.float64)
        ids = table[row_id].cast(pa.string())
        pq.write_table(pa.table({"row_id": ids, "prediction": scores}), out, compression="zstd")
print(time.perf_counter() - began)
