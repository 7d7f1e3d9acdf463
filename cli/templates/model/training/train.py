"""Trains under the SageMaker container contract: rows in, model.onnx out.

The channel `train` holds a Parquet file per day, to be read in the order of their names. Its columns: id, day, the
features and, last, the label as 0 or 1. What this program itself predicts for some rows is left beside the model: the
pipeline refuses an ONNX file that predicts otherwise. Without `predictions.parquet` nobody compares them.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path("/opt/ml")
OUTPUT = Path(os.environ.get("SM_OUTPUT_DIR", ROOT / "output"))


def main() -> None:
    file = ROOT / "input/config/hyperparameters.json"
    hyperparameters = json.loads(os.environ.get("SM_HPS") or (file.read_text() if file.exists() else "{}"))
    channel = Path(os.environ.get("SM_CHANNEL_TRAIN", ROOT / "input/data/train"))
    table = pq.read_table(sorted(channel.glob("*.parquet")))
    names = table.column_names[2:-1]
    rows = np.column_stack([table[name].to_numpy().astype(np.float32) for name in names])
    # An imputer leaves such a column out, and every weight after it would stand for another input.
    empty = [name for name, column in zip(names, rows.T, strict=True) if np.isnan(column).all()]
    if empty:
        raise ValueError(
            f"no row has a value of {', '.join(empty)}: correct the features, or leave them out of model.ts"
        )
    labels = table[table.column_names[-1]].to_numpy()
    model = make_pipeline(
        SimpleImputer(),
        StandardScaler(),
        LogisticRegression(
            C=1 / float(hyperparameters.get("regularisation", "1")),
            random_state=int(hyperparameters.get("seed", "0")),
        ),
    )
    model.fit(rows, labels)
    classifier = model.steps[-1][1]
    onnx = convert_sklearn(
        model,
        # Without a name the graph is given a random one, and the same model has other bytes each time.
        name="model",
        initial_types=[("features", FloatTensorType([None, len(names)]))],
        # Probabilities as a tensor, which is what scoring reads.
        options={id(classifier): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    target = Path(os.environ.get("SM_MODEL_DIR", ROOT / "model"))
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(onnx.SerializeToString(deterministic=True))
    probability = model.predict_proba(rows)[:, 1]
    # The rows' own id and day, and `probability`: of any rows of the channel, 1000 at most.
    some = table.slice(0, 200).select(table.column_names[:2])
    pq.write_table(some.append_column("probability", pa.array(probability[:200])), target / "predictions.parquet")
    metrics = {
        "rows": len(labels),
        "positives": int(labels.sum()),
        "trainingLogLoss": float(log_loss(labels, probability)),
        "trainingAccuracy": float(accuracy_score(labels, probability >= 0.5)),
        "trainingF1": float(f1_score(labels, probability >= 0.5, zero_division=0)),
    }
    (target / "metrics.json").write_text(json.dumps(metrics, sort_keys=True))
    print(json.dumps(metrics))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        # SageMaker shows the beginning of this file, so the innermost frame comes first; the job's log has it all.
        frames = reversed(traceback.extract_tb(error.__traceback__))
        where = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
        (OUTPUT / "failure").write_text("\n  at ".join([f"{type(error).__name__}: {error}", *where]))
        traceback.print_exc()
        sys.exit(1)
