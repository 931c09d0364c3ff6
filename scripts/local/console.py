"""The console on the local stack: built beside the start of the stack, and uploaded once that runs."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scripts.common.errors import ToolError
from scripts.environment.console_files import built_files, settings_of
from scripts.environment.console_site import find_site
from scripts.local import web

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.environment.environment import Environment


class ConsoleBuild:
    """A build in a thread of its own; npm does the work."""

    def __init__(self, build: Callable[[], Path] = web.ensure_built) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="console")
        self._build = build
        self._built: Future[Path] | None = None

    def start(self) -> Future[Path]:
        if self._built is None:
            self._built = self._pool.submit(self._build)
            self._pool.shutdown(wait=False)
        return self._built

    def publish(self, environment: Environment) -> str | None:
        """Upload the pages, if they are new; return why there are none, in one sentence."""
        try:
            files = built_files(self.start().result())
        except ToolError as error:
            return str(error)
        settings = settings_of(environment.name, datetime.now(UTC).date())
        find_site(environment).files.publish(files | settings)
        return None
