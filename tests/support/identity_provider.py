"""The stand-in for Google and GitHub, on loopback for the length of a block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.local.identity_provider import IdentityProvider, serve


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    provider, server = serve()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
