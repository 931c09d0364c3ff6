"""Starts MiniStack, the AWS emulator, on 127.0.0.1."""

import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.common.errors import ToolError
from scripts.environment.local_state import ProcessRecord
from scripts.local import processes
from scripts.local.web import node_folder

HOST = "127.0.0.1"
DEFAULT_PORT = 4566
REGION = "us-east-1"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 -- the emulator takes any; this is not a secret

_START_SECONDS = 30.0
_MEMORY_FILE_SYSTEM = Path("/dev/shm")  # noqa: S108 -- used only through mkdtemp, which makes a private folder
_LAST_SAVED = "dynamodb.json"
"""Saved after the queues."""
_PROGRAM = "scripts.local.aws.emulator_main"


@dataclass(frozen=True, slots=True)
class Emulator:
    process: ProcessRecord
    endpoint: str
    scratch: Path
    log: Path


def start(home: Path, port: int, *, checks_rights: bool = False, saved: Path | None = None) -> Emulator:
    """Start MiniStack; return when it is healthy, clean up when it does not get so.

    With `checks_rights` it enforces IAM policies, as AWS does. With `saved` it loads its state from that
    folder, and saves it there on SIGTERM.
    """
    require_free_port(port)
    scratch = _make_scratch(home)
    log = home / "emulator.log"
    environ = {**_environ(port, scratch), "AUTH": str(checks_rights).lower()}
    if saved is not None:
        environ |= {"PERSIST_STATE": "1", "STATE_DIR": str(saved)}
    try:
        process = processes.start("emulator", [sys.executable, "-P", "-m", _PROGRAM], environ, log)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    emulator = Emulator(process, f"http://{HOST}:{port}", scratch, log)
    try:
        _wait_until_healthy(emulator)
    except BaseException:
        stop(emulator)
        raise
    return emulator


def stop(emulator: Emulator) -> None:
    processes.stop([emulator.process])
    shutil.rmtree(emulator.scratch, ignore_errors=True)


def is_healthy(endpoint: str, *, timeout: float = 2.0) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=timeout) as response:  # noqa: S310 -- http to ourselves
            return "services" in json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def saved_at(saved: Path) -> int | None:
    """Return when the state in the folder was saved (a file time), or None."""
    try:
        return (saved / _LAST_SAVED).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def change_port(saved: Path, old: int, new: int) -> None:
    """Rewrite the URLs in a saved state: queues are stored under theirs."""
    for path in saved.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        moved = re.sub(rf"(://(?:{re.escape(HOST)}|localhost)):{old}\b", rf"\g<1>:{new}", text)
        if moved != text:
            path.write_text(moved, encoding="utf-8")


def require_free_port(port: int, option: str = "--port (make up PORT=...)") -> None:
    """Raise an error that names the option when the port cannot be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise ToolError(
                f"port {port} needs more privileges; choose another one, from 1024 on, with {option}."
            ) from error
        except OSError as error:
            raise ToolError(
                f"port {port} on {HOST} is taken by another program; choose another one with {option}."
            ) from error


def is_free(port: int) -> bool:
    try:
        require_free_port(port)
    except ToolError:
        return False
    return True


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def last_line(log: Path) -> str:
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line), "")


def _wait_until_healthy(emulator: Emulator) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_healthy(emulator.endpoint):
        if processes.find(emulator.process) is None:
            reason = last_line(emulator.log) or "no output"
            raise ToolError(f"the AWS emulator exited at startup: {reason} (log: {emulator.log})")
        if time.monotonic() > deadline:
            raise ToolError(
                f"the AWS emulator did not answer within {_START_SECONDS:.0f} s; see {emulator.log}."
            )
        time.sleep(0.02)


def _make_scratch(home: Path) -> Path:
    """Create the emulator's work folder, in memory where possible: cold starts are three times as fast."""
    in_memory = _MEMORY_FILE_SYSTEM.is_dir() and os.access(_MEMORY_FILE_SYSTEM, os.W_OK | os.X_OK)
    parent = _MEMORY_FILE_SYSTEM if in_memory else home
    return Path(tempfile.mkdtemp(prefix="pulsequeue-", dir=parent))


def _environ(port: int, scratch: Path, host: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the emulator's environment, which its Lambda workers inherit: only what is listed here."""
    inherited = {name: host[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in host}
    return {
        **inherited,
        # It runs CloudFront functions in Node.
        "PATH": os.pathsep.join(filter(None, (str(node_folder() / "bin"), host.get("PATH")))),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # would listen on 8883
        "SFTP_ENABLED": "0",  # would listen on 2222
        # Otherwise it looks for its containers in this machine's Docker and removes them.
        "DOCKER_HOST": f"unix://{scratch}/none.sock",
        "MINISTACK_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": str(scratch),
        "S3_DATA_DIR": str(scratch / "s3"),
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }
