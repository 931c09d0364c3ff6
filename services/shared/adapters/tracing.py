"""A trace of each invocation that X-Ray asks to have traced; the others do not pay for it.

Importing the X-Ray SDK takes a third as long as everything else that a function imports. X-Ray decides before
the function runs, so what is imported for a sample of the invocations can wait for the first of them.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any


class Tracing:
    def __init__(
        self,
        service: str,
        *,
        environ: Mapping[str, str] = os.environ,
        load: Callable[[str], Any] | None = None,
    ) -> None:
        self._service = service
        self._environ = environ
        self._load = load or _xray
        self._provider: Any = None

    def batch(self) -> AbstractContextManager[Any]:
        """Trace the handling of a batch, and the calls to AWS inside, if this invocation is to be traced."""
        if self._provider is None and is_sampled(self._environ.get("_X_AMZN_TRACE_ID", "")):
            self._provider = self._load(self._service)
        # Once there, it is always asked: it has its hand on every call, and must know which ones to tell of.
        return nullcontext() if self._provider is None else self._provider.in_subsegment("## batch")


def is_sampled(trace_header: str) -> bool:
    """Read from the header that Lambda passes on whether X-Ray wants this one."""
    return "Sampled=1" in (part.strip() for part in trace_header.split(";"))


def _xray(service: str) -> Any:  # noqa: ANN401 - the X-Ray SDK has no types
    from aws_lambda_powertools import Tracer  # noqa: PLC0415 - see above

    return Tracer(service=service, auto_patch=True, patch_modules=["botocore"]).provider
