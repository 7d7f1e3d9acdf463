"""Runs a job's programs, each in a process of its own that has the heavy packages loaded already.

Loading scikit-learn or Great Expectations takes seconds, a fork takes none. Standard input: `{modules, runs}`, where
each run has its `program`, a working directory `cwd` and an environment `env`. Standard output: each run's `code` and
`stderr`.
"""

import importlib
import json
import os
import runpy
import sys
import tempfile
import traceback
from typing import Any


def main() -> None:
    job = json.load(sys.stdin)
    for module in job["modules"]:
        importlib.import_module(module)
    print(json.dumps([fork(each) for each in job["runs"]]))


def fork(run: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(output.fileno(), 2)
            code = execute(run["program"], run)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "stderr": output.read().decode()}


def execute(program: str, run: dict[str, Any]) -> int:
    """The program as `python <program>` runs it, and the code with which it ends."""
    os.chdir(run["cwd"])
    os.environ.clear()
    os.environ.update(run["env"])
    sys.argv = [program]
    sys.path[0] = os.path.dirname(program)
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
