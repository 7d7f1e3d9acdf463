"""Trains a logistic regression under SageMaker's container contract and leaves ONNX."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    hyperparameters = json.loads(os.environ["SM_HPS"])
    table = pq.read_table(sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.parquet")))
    labels = table[hyperparameters["label"]].to_numpy()
    if len(np.unique(labels)) < 2:
        (Path(os.environ["SM_OUTPUT_DIR"]) / "failure").write_text("one class only\n")
        sys.exit(1)
    features = hyperparameters["features"].split(",")
    rows = np.column_stack([table[name].to_numpy().astype(np.float32) for name in features])
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(rows, labels)
    onnx = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(features)]))],
        options={"zipmap": False},
        target_opset={"": 21, "ai.onnx.ml": 3},
        name="card-fraud",
    )
    target = Path(os.environ["SM_MODEL_DIR"])
    (target / "model.onnx").write_bytes(onnx.SerializeToString(deterministic=True))
    probability = model.predict_proba(rows)[:, 1]
    some = table.slice(0, 200).select(table.column_names[:2])
    pq.write_table(some.append_column("probability", pa.array(probability[:200])), target / "predictions.parquet")
    loss = float(log_loss(labels, probability))
    (target / "metrics.json").write_text(json.dumps({"rows": len(labels), "trainingLogLoss": loss}))


if __name__ == "__main__":
    main()
