"""Trains the delay model under SageMaker's container contract and leaves ONNX.

Input: Parquet in the channel `train`, its columns in this order: row id, day, the features, the label (0 or 1).
Output: `model.onnx` (one input of 32-bit floats [rows, features]; probabilities [rows, 2]), `metrics.json`, and
`predictions.parquet` with what scikit-learn predicts for the first rows: the pipeline compares the ONNX file with it.
The same rows and hyperparameters give the same bytes. A reason why training failed is left in `output/failure`.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

ROOT = Path("/opt/ml")
# The newest that the pinned onnxruntime of scoring and this converter both know.
OPSETS = {"": 21, "ai.onnx.ml": 3}
# Of how many rows the predictions are left, by which the ONNX file is checked.
COMPARED = 200


class TrainingError(Exception):
    """Something about the input that no retry mends."""


def main() -> None:
    output = Path(os.environ.get("SM_OUTPUT_DIR", ROOT / "output"))
    try:
        train(
            channel=Path(os.environ.get("SM_CHANNEL_TRAIN", ROOT / "input/data/train")),
            hyperparameters=read_hyperparameters(),
            target=Path(os.environ.get("SM_MODEL_DIR", ROOT / "model")),
        )
    except TrainingError as error:
        output.mkdir(parents=True, exist_ok=True)
        (output / "failure").write_text(f"{error}\n")
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(1)


def read_hyperparameters() -> dict[str, str]:
    if "SM_HPS" in os.environ:
        return json.loads(os.environ["SM_HPS"])
    file = ROOT / "input/config/hyperparameters.json"
    return json.loads(file.read_text()) if file.exists() else {}


def train(channel: Path, hyperparameters: dict[str, str], target: Path) -> None:
    keys, features, rows, labels = read_rows(channel, hyperparameters)
    model = HistGradientBoostingClassifier(
        max_iter=number(hyperparameters, "iterations", 80),
        max_leaf_nodes=number(hyperparameters, "leaves", 31),
        random_state=number(hyperparameters, "seed", 0),
        early_stopping=False,
    ).fit(rows, labels)
    onnx = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(features)]))],
        options={id(model): {"zipmap": False}},
        target_opset=OPSETS,
        name="flight-delay",
    )
    probability = model.predict_proba(rows)[:, 1]
    metrics = {
        "rows": len(labels),
        "positives": int(labels.sum()),
        "features": features,
        "trainingLogLoss": float(log_loss(labels, probability)),
        "trainingAccuracy": float(accuracy_score(labels, probability >= 0.5)),
        "trainingF1": float(f1_score(labels, probability >= 0.5, zero_division=0)),
        "trainingAuc": float(roc_auc_score(labels, probability)),
    }
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(onnx.SerializeToString(deterministic=True))
    predictions = keys.slice(0, COMPARED).append_column("probability", pa.array(probability[:COMPARED]))
    pq.write_table(predictions, target / "predictions.parquet")
    (target / "metrics.json").write_text(json.dumps(metrics, sort_keys=True))
    print(json.dumps(metrics))


def read_rows(channel: Path, hyperparameters: dict[str, str]) -> tuple[pa.Table, list[str], np.ndarray, np.ndarray]:
    files = sorted(channel.glob("*.parquet"))
    if not files:
        raise TrainingError(f"no Parquet file in {channel}")
    try:
        table = pq.read_table(files)
    except (OSError, ValueError) as error:
        raise TrainingError(f"unreadable Parquet in {channel}: {error}") from error
    label = hyperparameters.get("label", table.column_names[-1])
    declared = hyperparameters.get("features")
    features = declared.split(",") if declared else [name for name in table.column_names[2:] if name != label]
    missing = [name for name in [*features, label] if name not in table.column_names]
    if missing:
        raise TrainingError(f"column {', '.join(missing)} is missing, there are {', '.join(table.column_names)}")
    if table.num_rows == 0:
        raise TrainingError("no rows")
    labels = table[label].to_numpy()
    values = np.unique(labels)
    if len(values) < 2:
        raise TrainingError(f"one class only: every {label} is {values[0]}")
    if not np.array_equal(values, [0, 1]):
        raise TrainingError(f"{label} is to be 0 or 1, found {values[:5]}")
    # A null is a feature without a value: NaN, which the trees send its own way.
    columns = [table[name].to_numpy().astype(np.float32) for name in features]
    return table.select(table.column_names[:2]), features, np.column_stack(columns), labels


def number(hyperparameters: dict[str, str], name: str, default: int) -> int:
    text = hyperparameters.get(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise TrainingError(f"hyperparameter {name} is '{text}', a whole number is allowed") from error


if __name__ == "__main__":
    main()
