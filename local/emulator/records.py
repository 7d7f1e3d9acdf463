"""Tells the CloudWatch subset (local/cloudwatch) what its metrics are made of.

Around each execution of a function, wherever it is invoked from, and each request to an HTTP API; the emulator itself
has metrics of direct invocations only. The emulator's own evaluator of alarms is switched off: it ignores dimensions,
periods and missing data. What is recorded is sent by a thread of its own, in order, and again until it has arrived.
"""

import collections
import http.client
import json
import sys
import threading
import time
import urllib.parse

from ministack.services import apigateway, cloudwatch, lambda_svc

# Somewhat later than it happened, in few requests.
PAUSE_S = 0.1
AT_ONCE = 500
# If nobody takes them, the oldest are dropped, and the log says so.
KEPT = 100_000

_records: collections.deque = collections.deque()


def record_executions(endpoint: str) -> None:
    """Records executions, requests and the accounts that have alarms, and sends them to the subset at `endpoint`."""
    cloudwatch._evaluate_alarm = lambda alarm: None
    lambda_svc._emit_lambda_metrics = lambda *arguments, **named: None
    _record_lambda()
    _record_http_apis()
    threading.Thread(target=_send, args=(urllib.parse.urlsplit(endpoint),), daemon=True).start()


def _record_lambda() -> None:
    dispatch = lambda_svc._execute_function_dispatch
    acquire = lambda_svc._acquire_execution_slot
    to_response = lambda_svc.lambda_execute_result_to_api_proxy_response
    find = lambda_svc._get_func_record_for_ref

    def dispatching(func, config, event, request_id, started):
        result = {"error": True}
        try:
            result = dispatch(func, config, event, request_id, started)
            return result
        finally:
            outcome = "throttled" if result.get("throttle") else "failed" if result.get("error") else "succeeded"
            _execution(config, started, outcome, result.get("log") or "")

    def acquiring(func, config):
        slot, limit = acquire(func, config)
        if slot is None:
            _execution(config, time.time(), "throttled", "")
        return slot, limit

    def responding(result):
        # So an HTTP API on AWS answers where its function is throttled; the emulator's 429 would be the caller's.
        if result.get("throttle"):
            headers = {"Content-Type": "application/json"}
            return {"statusCode": 503, "headers": headers, "body": '{"message":"Service Unavailable"}'}, None
        return to_response(result)

    def finding(reference):
        # The emulator forgets by which alias an API or a state machine invokes a function; metrics have it.
        record, config, name = find(reference)
        alias = reference.split(":")[7:] if isinstance(reference, str) and reference.startswith("arn:") else []
        if config is not None and alias and config.get("FunctionArn"):
            config = {**config, "FunctionArn": ":".join([*config["FunctionArn"].split(":")[:7], *alias])}
        return record, config, name

    lambda_svc._get_func_record_for_ref = finding
    lambda_svc._execute_function_dispatch = dispatching
    lambda_svc._acquire_execution_slot = acquiring
    lambda_svc.lambda_execute_result_to_api_proxy_response = responding


def _execution(config: dict, started: float, outcome: str, log: str) -> None:
    name = config.get("FunctionName", "")
    if not config.get("FunctionArn"):
        # Nothing that is deployed is without one; an execution must not fail by being recorded.
        print(f"an execution of {name} is not recorded: it has no ARN", file=sys.stderr, flush=True)
        return
    account, _ = lambda_svc._account_region_from_function_config(config)
    # arn:aws:lambda:<region>:<account>:function:<name>[:<version or alias>]
    qualifier = config["FunctionArn"].split(":")[7:]
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    execution = {
        "account": account,
        "function": name,
        "resource": ":".join([name, *qualifier]),
        "logGroup": group,
        "at": started * 1000,
        "milliseconds": (time.time() - started) * 1000,
        "outcome": outcome,
        "embedded": [line for line in log.splitlines() if '"_aws"' in line],
    }
    _records.append(("executions", execution))


def _record_http_apis() -> None:
    handle = apigateway.handle_execute

    async def handling(api_id, stage, *arguments, **named):
        scope = apigateway.find_api_scope(api_id)
        started, status = time.time(), 500
        try:
            response = await handle(api_id, stage, *arguments, **named)
            status = int(response[0])
            return response
        finally:
            if scope is not None:
                request = {
                    "account": scope[0],
                    "api": api_id,
                    "stage": stage,
                    "at": started * 1000,
                    "milliseconds": (time.time() - started) * 1000,
                    "status": status,
                }
                _records.append(("requests", request))

    apigateway.handle_execute = handling


def _send(endpoint) -> None:
    told = None
    while True:
        time.sleep(PAUSE_S)
        accounts = sorted({key[0] for key in list(cloudwatch._alarms._data)})
        batch = [_records[index] for index in range(min(AT_ONCE, len(_records)))]
        if accounts == told and not batch:
            continue
        document = {"accounts": accounts, "executions": [], "requests": []}
        for kind, record in batch:
            document[kind].append(record)
        try:
            _post(endpoint, document)
        except OSError as error:
            _drop_oldest(error)
            time.sleep(1)
            continue
        except http.client.HTTPException as error:
            print(f"the CloudWatch subset refuses {len(batch)} records: {error}", file=sys.stderr, flush=True)
        told = accounts
        for _ in batch:
            _records.popleft()


def _post(endpoint, document: dict) -> None:
    connection = http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=10)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST", "/_local/records", json.dumps(document), headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise http.client.HTTPException(f"{response.status} {answer[:500].decode(errors='replace')}")
    finally:
        connection.close()


def _drop_oldest(error: OSError) -> None:
    surplus = len(_records) - KEPT
    if surplus > 0:
        print(f"{surplus} records for the CloudWatch subset are dropped: {error}", file=sys.stderr, flush=True)
        for _ in range(surplus):
            _records.popleft()
