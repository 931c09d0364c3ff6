"""The database of the local stack: made with the server, and brought up to date as everywhere else."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import psycopg

from scripts.ops.database import ask

if TYPE_CHECKING:
    from scripts.environment import Environment
    from scripts.local.postgres import Postgres

NAME: Final = "pulsequeue"


def make(server: Postgres) -> None:
    """Make the empty database that Aurora would come with."""
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {NAME}".encode())


def migrate(environment: Environment) -> None:
    ask(environment, {"action": "migrate"})
