"""Prometheus's own programs, which are installed on the system and not as Python packages."""

import shutil
import subprocess

import pytest


def program(name: str, package: str) -> str:
    """Find a program; skip the test when it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here (apt-get install {package})")
    return found


def promtool() -> str:
    return program("promtool", "prometheus")


def prometheus() -> str:
    return program("prometheus", "prometheus")


def amtool() -> str:
    return program("amtool", "prometheus-alertmanager")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - named by the tests
