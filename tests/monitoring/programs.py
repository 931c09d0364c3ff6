"""Prometheus's own programs, which come with the system and not with our dependencies."""

import shutil
import subprocess

import pytest


def program(name: str, package: str) -> str:
    """Find a program, or skip the test that needs it."""
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
