"""Starts the emulator of AWS (MiniStack) as one of the local cloud's three processes.

Twelve things are added to what `ministack` does: events of source `aws.sagemaker` are let onto the bus (AWS and the
emulator refuse `aws.*` from callers; here SageMaker *is* a caller, see local/sagemaker); a request counts as made
over TLS, because nothing leaves 127.0.0.1 and the bucket policies that refuse plain HTTP are deployed as they are; a
bucket has the Object Lock that its template declares; a table's stream goes on after a restart; a function's code is
unpacked once, not for each of its processes; an invocation waits for a process that is at work, before it starts
another; a task token is taken once; state is kept over a stop as a whole (saved_state.py); executions of functions and
requests to HTTP APIs are recorded for the CloudWatch subset, which evaluates the alarms (records.py,
local/cloudwatch); faults of releases are injected where somebody asks for them (faults.py); executions of state
machines that a stop ended are announced as ended, as AWS announces each end; and the process group ends with its
owner, so that a killed test leaves nothing behind.
"""

import gc
import hashlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
import types
import zipfile

from faults import inject_faults
from ministack import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import error_response_json, set_request_account_id, set_request_region
from ministack.services import eventbridge, lambda_svc, s3, stepfunctions
from ministack.services.cloudformation import provisioners
from records import record_executions
from saved_state import keep_state

# How long an invocation waits for the function's process that is at work, before it gets one of its own.
WAIT_FOR_WORKER_S = 5


def admit_sagemaker_events() -> None:
    put_events = eventbridge._put_events

    def admitting(data, allow_aws_source=False):
        ours = all(entry.get("Source") == "aws.sagemaker" for entry in data.get("Entries", []))
        return put_events(data, allow_aws_source=allow_aws_source or ours)

    eventbridge._put_events = admitting


def count_loopback_as_tls() -> None:
    # Every request's context is a copy of this one.
    iam_evaluator.pin_request_origin("127.0.0.1", True)


def lock_buckets_as_declared() -> None:
    # The emulator has Object Lock, and its CloudFormation leaves it out: nothing that is released would be retained.
    # A stop would forget until when objects are retained, and keep the objects.
    s3._PERSISTED_BUCKET_DICTS["object_retention"] = s3._object_retention
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create = handler["create"]

    def creating(logical_id, props, stack_name):
        name, attributes = create(logical_id, props, stack_name)
        if str(props.get("ObjectLockEnabled", "")).lower() == "true":
            rule = props.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
            retention = rule and {key: int(value) if key in ("Days", "Years") else value for key, value in rule.items()}
            s3._bucket_object_lock[name] = {"enabled": True, "default_retention": retention or None}
        return name, attributes

    handler["create"] = creating


def read_streams_from_their_beginning() -> None:
    # A stop keeps how far a function has read a table's stream, but not the stream: it begins anew and empty, and what
    # is written next would be passed over until there are as many records as there were.
    restore = lambda_svc._restore_esm_positions

    def restoring(positions, saved):
        restore(positions, saved)
        if positions is lambda_svc._dynamodb_stream_positions:
            for mapping in positions._data:
                positions._data[mapping] = 0

    lambda_svc._restore_esm_positions = restoring


def unpack_code_once(folder: str) -> None:
    # Functions with native code unpack over a hundred megabytes, which takes longer than their start. As on AWS, they
    # write nothing where their code is.
    lock = threading.Lock()
    # What no function has any more.
    for digest in os.listdir(folder) if os.path.isdir(folder) else []:
        if not os.path.exists(os.path.join(folder, "..", "state", "lambda-blobs", f"{digest}.zip")):
            shutil.rmtree(os.path.join(folder, digest))

    class UnpackedOnce(zipfile.ZipFile):
        def extractall(self, path):
            with open(self.filename, "rb") as packed:
                digest = hashlib.file_digest(packed, "sha256").hexdigest()
            whole = os.path.join(folder, digest)
            with lock:
                if not os.path.isdir(whole):
                    super().extractall(f"{whole}.part")
                    os.rename(f"{whole}.part", whole)
            os.rmdir(path)
            os.symlink(whole, path)

    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})


def wait_for_idle_workers() -> None:
    # A burst of invocations would start a process for each, and a start takes longer than what most of them do.
    acquire = lambda_svc.acquire_worker

    def patient(func_name, config, code_zip, qualifier="$LATEST", max_concurrency=None):
        key = lambda_runtime._worker_key(func_name, config, qualifier)
        deadline = time.monotonic() + WAIT_FOR_WORKER_S
        while time.monotonic() < deadline:
            with lambda_runtime._lock:
                workers = lambda_runtime._workers.get(key, [])
                if not workers or any(not worker.in_use for worker in workers):
                    break
            time.sleep(0.01)
        return acquire(func_name, config, code_zip, qualifier, max_concurrency)

    lambda_svc.acquire_worker = patient


def take_tokens_once() -> None:
    # The emulator forgets a token when the execution that waits has woken up: until then each who answers is told that
    # he was heard.
    lock = threading.Lock()

    def once(answer):
        def answering(data):
            with lock:
                waiting = stepfunctions._task_tokens.get(data.get("taskToken"))
                if waiting and waiting["event"].is_set():
                    return error_response_json("TaskTimedOut", "The task token has been used", 400)
                return answer(data)

        return answering

    stepfunctions._send_task_success = once(stepfunctions._send_task_success)
    stepfunctions._send_task_failure = once(stepfunctions._send_task_failure)


def announce_interrupted_executions() -> None:
    # No execution goes on after a stop: the emulator restores it as FAILED.
    restore = stepfunctions._restore_state

    def restoring(data):
        running = [
            key for key, execution in data.get("executions", {})._data.items() if execution.get("status") == "RUNNING"
        ]
        restore(data)
        if running:
            threading.Thread(target=announce, args=(running,), daemon=True).start()

    def announce(keys):
        # Whoever is told calls the emulator, which listens a moment after it has restored everything.
        address = (os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))
        while socket.socket().connect_ex(address) != 0:
            time.sleep(0.05)
        for account, region, arn in keys:
            set_request_account_id(account)
            set_request_region(region)
            stepfunctions._emit_execution_status_event(stepfunctions._executions[arn])

    stepfunctions._restore_state = restoring


def end_with(owner: int) -> None:
    def watch() -> None:
        while True:
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                os.killpg(os.getpgrp(), signal.SIGKILL)
            except PermissionError:
                pass
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    # argv: the cloud's home, by which a later command recognises this process, and the owner's pid if it has one.
    arguments = sys.argv[1:]
    sys.argv = sys.argv[:1]
    admit_sagemaker_events()
    count_loopback_as_tls()
    lock_buckets_as_declared()
    read_streams_from_their_beginning()
    unpack_code_once(os.path.join(arguments[0], "emulator", "unpacked"))
    wait_for_idle_workers()
    take_tokens_once()
    announce_interrupted_executions()
    # Below what records, which counts what a fault makes of an execution.
    inject_faults(arguments[0])
    record_executions(os.environ["AWS_ENDPOINT_URL_CLOUDWATCH"])
    if "STATE_DIR" in os.environ:
        keep_state(os.environ["STATE_DIR"])
    # A cloud's state is a million small objects that stay: to look through all of them again and again takes a tenth of
    # the emulator's time.
    gc.set_threshold(100_000, 50, 1_000)
    if len(arguments) > 1:
        end_with(int(arguments[1]))
    app.main()
