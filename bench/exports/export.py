"""Writes small models as common libraries export them to ONNX, and what each library itself predicts for some rows.

Run by `npm run bench -- exports`, in an environment of `requirements.txt`; the files are read by the tests.
Usage: export.py FOLDER
"""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloatTensorType
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

OPSETS = {"": 21, "ai.onnx.ml": 3}
FEATURES = 4
CHANCE = np.random.default_rng(7)
ROWS = CHANCE.normal(size=(60, FEATURES)).astype(np.float32)
LABELS = (ROWS[:, 0] + ROWS[:, 1] * ROWS[:, 2] + CHANCE.normal(scale=0.5, size=len(ROWS)) > 0).astype(np.int64)
SHOWN = ROWS[:8]

Predict = Callable[[np.ndarray], np.ndarray]


def main(folder: Path) -> None:
    warnings.filterwarnings("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    predictions = {}
    for name, (content, predict) in exports().items():
        (folder / f"{name}.onnx").write_bytes(content)
        predictions[name] = [float(p) for p in predict(SHOWN)]
    expected = {"rows": SHOWN.tolist(), "predictions": predictions}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def exports() -> dict[str, tuple[bytes, Predict]]:
    made = {
        **{f"sklearn-{name}": from_sklearn(model, zipmap=False) for name, model in classifiers().items()},
        "sklearn-zipmap": from_sklearn(LogisticRegression()),
        "sklearn-forest-zipmap": from_sklearn(RandomForestClassifier(3, max_depth=3, random_state=0)),
        "sklearn-knn": from_sklearn(KNeighborsClassifier(3), zipmap=False),
        "sklearn-knn-cdist": from_sklearn(KNeighborsClassifier(3), zipmap=False, optim="cdist"),
        "sklearn-gaussian-process": from_sklearn(GaussianProcessClassifier(random_state=0), zipmap=False),
    }
    regression = LinearRegression().fit(ROWS, 0.5 + 0.1 * ROWS[:, 0])
    onnx = to_onnx(regression, initial_types=features(), target_opset=OPSETS, name="export")
    made["sklearn-one-column"] = (serialized(onnx), regression.predict)
    return {**made, **boosted()}


def classifiers() -> dict[str, object]:
    return {
        "logistic": LogisticRegression(),
        "hist-gradient-boosting": HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5),
        "gradient-boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
        "extra-trees": ExtraTreesClassifier(3, max_depth=3, random_state=0),
        "ada-boost": AdaBoostClassifier(n_estimators=3, random_state=0),
        "decision-tree": DecisionTreeClassifier(max_depth=3, random_state=0),
        "mlp": MLPClassifier((4,), max_iter=50, random_state=0),
        "gaussian-nb": GaussianNB(),
        "lda": LinearDiscriminantAnalysis(),
        "qda": QuadraticDiscriminantAnalysis(),
        "svc": SVC(probability=True, random_state=0),
        "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=2),
        "imputer-scaler": make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
        "bins": make_pipeline(KBinsDiscretizer(3, encode="ordinal"), LogisticRegression()),
        "polynomial": make_pipeline(PolynomialFeatures(2), LogisticRegression()),
    }


def from_sklearn(model, **options) -> tuple[bytes, Predict]:
    model.fit(ROWS, LABELS)
    onnx = to_onnx(
        model,
        initial_types=features(),
        target_opset=OPSETS,
        name="export",
        options={id(model): options} if options else None,
    )
    return serialized(onnx), positive(model)


def boosted() -> dict[str, tuple[bytes, Predict]]:
    light = lightgbm.LGBMClassifier(n_estimators=3, num_leaves=4, min_child_samples=5, verbose=-1).fit(ROWS, LABELS)
    extreme = xgboost.XGBClassifier(n_estimators=3, max_depth=3, random_state=0).fit(ROWS, LABELS)
    cat = catboost.CatBoostClassifier(
        iterations=3, depth=3, verbose=0, allow_writing_files=False, random_seed=0, thread_count=1
    ).fit(ROWS, LABELS)
    types = [("features", ToolsFloatTensorType([None, FEATURES]))]
    tools = {"initial_types": types, "target_opset": 15}
    return {
        "lightgbm": (
            serialized(onnxmltools.convert_lightgbm(light, name="export", zipmap=False, **tools)),
            positive(light),
        ),
        "lightgbm-zipmap": (serialized(onnxmltools.convert_lightgbm(light, name="export", **tools)), positive(light)),
        "xgboost": (serialized(onnxmltools.convert_xgboost(extreme, name="export", **tools)), positive(extreme)),
        "catboost": (from_catboost(cat), positive(cat)),
    }


def from_catboost(model) -> bytes:
    file = Path(sys.argv[1]) / "catboost.onnx"
    model.save_model(str(file), format="onnx", export_parameters={"onnx_graph_name": "export"})
    return file.read_bytes()


def features():
    return [("features", FloatTensorType([None, FEATURES]))]


def positive(model) -> Predict:
    return lambda rows: model.predict_proba(rows)[:, 1]


def serialized(onnx) -> bytes:
    return onnx.SerializeToString(deterministic=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
