"""Lets a release misbehave at its endpoint, so that alarms and rollbacks can be seen on a laptop.

A fault is of one function and of one release: `faults.json` in the cloud's home names both, and what kind it is. The
function runs as it is; what it answers says which release did. Nothing that is deployed knows of faults.
"""

import json
import os
import threading
import time

from ministack.services import lambda_svc


def inject_faults(home: str) -> None:
    """Injects the faults that `faults.json` names at that moment."""
    path = os.path.join(home, "faults.json")
    dispatch = lambda_svc._execute_function_dispatch
    answered: dict[str, str] = {}
    lock = threading.Lock()

    def fault_of(name: str) -> dict:
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file).get(name, {})
        except FileNotFoundError:
            return {}

    def dispatching(func, config, event, request_id, started):
        name = config.get("FunctionName", "")
        fault = fault_of(name)
        if not fault:
            return dispatch(func, config, event, request_id, started)
        with lock:
            served = answered.get(name, fault["release"])
        # Before it runs, as a slow start would: the function counts from when the API received the call.
        if fault["kind"] == "latency" and served == fault["release"]:
            time.sleep(fault["milliseconds"] / 1000)
        result = dispatch(func, config, event, request_id, started)
        response = _response(result)
        release = _release(result, response)
        if release is None:
            return result
        with lock:
            answered[name] = release
        if release != fault["release"]:
            return result
        if fault["kind"] == "errors":
            return {**result, "error": True, "body": {"errorType": "Runtime.ExitError", "errorMessage": "injected"}}
        if fault["kind"] == "wrong-answers":
            return {**result, "body": _wrong(result["body"], response) if response else _wrong_arm(result)}
        return result

    lambda_svc._execute_function_dispatch = dispatching


def _payload(result: dict) -> dict:
    body = result.get("body")
    return json.loads(body) if isinstance(body, (str, bytes)) else body


def _response(result: dict) -> dict | None:
    """What an endpoint answers a request for predictions, if that is what a result is."""
    try:
        response = json.loads(_payload(result)["body"])
    except (KeyError, TypeError, ValueError):
        return None
    return response if isinstance(response, dict) and isinstance(response.get("parameters"), dict) else None


def _release(result: dict, response: dict | None) -> str | None:
    """Which release an endpoint, or an arm of it, says that it answers by."""
    if response is not None:
        return response["parameters"].get("digest")
    payload = _payload(result)
    return payload.get("release") if isinstance(payload, dict) and payload.get("kind") == "answered" else None


def _wrong_arm(result: dict) -> dict:
    payload = _payload(result)
    for event in payload["made"]["events"]:
        event["probability"] = 1 - event["probability"]
    return payload


def _wrong(body, response: dict) -> dict:
    payload = json.loads(body) if isinstance(body, (str, bytes)) else body
    for output in response["outputs"]:
        if output["name"] == "probability":
            output["data"] = [1 - each for each in output["data"]]
    return {**payload, "body": json.dumps(response)}
