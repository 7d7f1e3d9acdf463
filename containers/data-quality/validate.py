"""Validates data against the suites of Great Expectations, as a SageMaker processing job.

Input, below `/opt/ml/processing/input`: `batches.json`, a list of `{kind, day, version, files}`, those files, and a
suite for each kind in `suites/<kind>.json`. The files of a batch have one schema: who staged them read them as features
do, and says in `refused` why features refuse a batch, which then has no file. Output: `results.json` below
`/opt/ml/processing/output`. An expectation that is not met is a result, and so is a batch that cannot be read or
validated: it fails by itself. A suite that cannot be read ends the job, because then nothing was looked at.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import pyarrow.parquet as pq
from great_expectations.core.expectation_suite import ExpectationSuite

ROOT = Path(os.environ.get("SM_ROOT", "/")) / "opt/ml/processing"
# How many of the values that were not expected are named.
SHOWN = 3
LONGEST = 300


def main() -> None:
    source, target = ROOT / "input", ROOT / "output"
    batches = json.loads((source / "batches.json").read_text())
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset("partition")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    suites = {kind: read_suite(source, kind) for kind in sorted({batch["kind"] for batch in batches})}
    results = []
    for batch in batches:
        about = {key: batch[key] for key in ("kind", "day", "version")}
        try:
            if "refused" in batch:
                raise ValueError(batch["refused"])
            frame = pq.read_table([source / name for name in batch["files"]], partitioning=None).to_pandas()
            found = whole.get_batch(batch_parameters={"dataframe": frame}).validate(suites[batch["kind"]])
            failures = [failure(result) for result in found.results if not result.success]
            results.append({**about, "rows": len(frame), "evaluated": len(found.results), "failures": failures})
        except Exception as error:
            # Whatever is wrong with a batch, it meets no expectation, and the others are validated all the same.
            unread = {"expectation": "expect_partition_to_be_readable", "about": "", "found": str(error)[:LONGEST]}
            results.append({**about, "rows": 0, "evaluated": 1, "failures": [unread]})
    for result in results:
        for each in result["failures"]:
            print(f"{result['kind']} {result['day']}: {each['expectation']}({each['about']}): {each['found']}")
    target.mkdir(parents=True, exist_ok=True)
    written = {"formatVersion": 1, "greatExpectations": gx.__version__, "batches": results}
    (target / "results.json").write_text(json.dumps(written))
    print(f"{len(results)} batches, {sum(len(each['failures']) for each in results)} expectations not met")


def read_suite(source: Path, kind: str) -> ExpectationSuite:
    suite = json.loads((source / "suites" / f"{kind}.json").read_text())
    try:
        read = ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
    except Exception as error:
        fail(f"expectations/{kind}.json is no suite: {error}")
    # What Great Expectations does not know it leaves out with a warning, and what nobody looks at is always met.
    known = [each.expectation_type for each in read.expectations]
    unknown = [each["type"] for each in suite["expectations"] if each["type"] not in known]
    if unknown:
        fail(f"expectations/{kind}.json is no suite: Great Expectations {gx.__version__} has no {', '.join(unknown)}")
    if len(known) < len(suite["expectations"]):
        fail(f"expectations/{kind}.json is no suite: {len(suite['expectations'])} stand in it, {len(known)} were read")
    return read


def failure(result: Any) -> dict[str, str]:
    config = result.expectation_config
    about = ", ".join(f"{key}={value}" for key, value in sorted(config.kwargs.items()) if key != "batch_id")
    return {"expectation": config.type, "about": about[:LONGEST], "found": observed(result)[:LONGEST]}


def observed(result: Any) -> str:
    """What was found instead, in words: an error of an expectation is one that was not met."""
    raised = exceptions(result.exception_info or {})
    if raised:
        return f"could not be evaluated: {raised[0]}"
    values = result.result
    count = values.get("unexpected_count")
    if count is not None:
        shown = ", ".join(str(value) for value in values.get("partial_unexpected_list", [])[:SHOWN])
        return f"{count} of {values['element_count']} values" + (f", such as {shown}" if shown else "")
    return f"found {values['observed_value']}" if "observed_value" in values else "not met"


def exceptions(info: dict[str, Any]) -> list[str]:
    """Messages of what an expectation raised: its information is one record, or one for each metric."""
    if "raised_exception" in info:
        return [str(info.get("exception_message"))] if info["raised_exception"] else []
    return [message for each in info.values() if isinstance(each, dict) for message in exceptions(each)]


def fail(message: str) -> None:
    """SageMaker shows what stands in this file as the job's exit message."""
    note = Path(os.environ.get("SM_ROOT", "/")) / "opt/ml/output/message"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(message)
    print(message, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
