"""Keeps what the emulator knows over a stop: all of it, as it was at one moment, or what the last stop kept.

The emulator by itself writes one file per service, tells its log of those that it could not write or read, and goes on
without them. Here a stop writes all services into a folder beside, which is taken over when it is whole: `saved.json`
names each file with its digest, and a start that finds another digest, or a service that does not come up with what it
had, ends with a message instead of an empty account.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time

from ministack import app
from ministack.core import persistence

SAVED = "saved.json"
# The emulator's threads go on while it stops: what one of them changes under the writer is written again.
ATTEMPTS = 10


class DamagedState(Exception):
    """What a stop kept cannot be read."""


def keep_state(folder: str) -> None:
    """Replaces how the emulator saves and restores; SIGUSR1 saves and ends it, whatever request it still waits for."""
    written = f"{folder}.written"
    saving = done = False

    def save_all(services) -> None:
        nonlocal saving, done
        saving = True
        try:
            files = {}
            for name, get_state in services.items():
                text = _text(name, get_state)
                if text is not None:
                    files[f"{name}.json"] = text
            _write(f"{folder}.partial", files)
            os.rename(f"{folder}.partial", written)
            _take_over(written, folder)
            done = True
        finally:
            saving = False

    def save_and_end(*_) -> None:
        if saving:
            return
        if not done:
            save_all(app._build_persistence_save_dict())
        os._exit(0)

    def load_all() -> None:
        for name, module in app._state_map.items():
            state = app.load_state(name)
            if not state:
                continue
            try:
                app._get_module(module).load_persisted_state(state)
            except Exception as error:
                _end(f"the state of {name} in {folder} does not load: {error!r}", folder)

    shutil.rmtree(f"{folder}.partial", ignore_errors=True)
    if os.path.isdir(written):
        _take_over(written, folder)
    try:
        verify(folder)
    except DamagedState as error:
        _end(str(error), folder)
    app.save_all = save_all
    app._load_persisted_state = load_all
    signal.signal(signal.SIGUSR1, save_and_end)


def verify(folder: str) -> None:
    """Raises DamagedState where a file is not the one that was saved; without `saved.json` nothing is compared."""
    saved = os.path.join(folder, SAVED)
    if not os.path.exists(saved):
        return
    try:
        with open(saved) as file:
            files = json.load(file)["files"]
        for name, digest in files.items():
            with open(os.path.join(folder, name), "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise DamagedState(f"{os.path.join(folder, name)} is not the file that was saved")
    except (OSError, ValueError, KeyError) as error:
        raise DamagedState(f"the saved state in {folder} cannot be read: {error}") from error


def _text(name: str, get_state) -> str | None:
    for attempt in range(ATTEMPTS):
        try:
            state = get_state()
            if state is None:
                return None
            content = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            # As a whole: the encoder that writes piece by piece takes ten times as long.
            return json.dumps(content, default=persistence._json_default)
        except RuntimeError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.05)
    return None


def _write(folder: str, files: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    digests = {}
    for name, text in files.items():
        content = text.encode()
        digests[name] = hashlib.sha256(content).hexdigest()
        _write_through(os.path.join(folder, name), content)
    saved = {"savedAt": int(time.time() * 1000), "files": digests}
    _write_through(os.path.join(folder, SAVED), json.dumps(saved).encode())


def _write_through(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _take_over(written: str, folder: str) -> None:
    # Ended in the middle, the next start goes on here; `saved.json` comes last, by which a stop is verified.
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(written), key=lambda name: (name == SAVED, name)):
        os.replace(os.path.join(written, name), os.path.join(folder, name))
    os.rmdir(written)


def _end(found: str, folder: str) -> None:
    home = os.path.dirname(os.path.dirname(folder))
    print(
        f"{found}; put {home} aside and begin anew (local up, deploy), or put back a copy of {folder}",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)
