"""A PostgreSQL that signs users in as RDS does: members of rds_iam with a token, others with a password.

RDS checks tokens through PAM, behind the rule `+rds_iam` of pg_hba.conf. Here that rule asks a RADIUS server.
"""

import hashlib
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from scripts.local import postgres
from services.shared.database import Connection

ADMINISTRATOR: Final = "administrator"
PASSWORD: Final = "the-password-of-the-administrator"
TOKEN: Final = "a-token-that-iam-signed"
DATABASE: Final = "aurora"

_ACCEPT, _REJECT = 2, 3
_USER_PASSWORD: Final = 2


@dataclass(frozen=True)
class Rds:
    server: postgres.Postgres

    def connect(self, user: str, password: str) -> Connection:
        return psycopg.connect(
            self.server.dsn(DATABASE, user), password=password, autocommit=True, prepare_threshold=None
        )

    def superuser(self) -> Connection:
        return psycopg.connect(self.server.dsn(DATABASE), autocommit=True)

    @contextmanager
    def administrator_may_grant_rds_iam(self) -> Iterator[None]:
        """RDS lets its administrator grant rds_iam without being a member; PostgreSQL itself does not."""
        with closing(self.superuser()) as superuser:
            superuser.execute(f"GRANT rds_iam TO {ADMINISTRATOR} WITH ADMIN TRUE".encode())
            try:
                yield
            finally:
                members = superuser.execute(
                    "SELECT member::regrole::text FROM pg_auth_members"
                    " WHERE roleid = 'rds_iam'::regrole AND member::regrole::text <> %s",
                    [ADMINISTRATOR],
                ).fetchall()
                superuser.execute(f"REVOKE rds_iam FROM {ADMINISTRATOR} CASCADE".encode())
                for (member,) in members:
                    superuser.execute(f"GRANT rds_iam TO {member}".encode())


@contextmanager
def rds(folder: Path, version: int = 16) -> Iterator[Rds]:
    """Start a server with an administrator who is no superuser, as Aurora comes."""
    started = postgres.start(folder / "postgres.log", version=version)
    try:
        with _token_server() as (port, secret):
            made = Rds(started)
            with closing(psycopg.connect(started.dsn(), autocommit=True)) as superuser:
                superuser.execute("CREATE ROLE rds_iam")
                superuser.execute(
                    f"CREATE ROLE {ADMINISTRATOR} LOGIN CREATEROLE PASSWORD '{PASSWORD}'".encode()
                )
                superuser.execute(f"CREATE DATABASE {DATABASE} OWNER {ADMINISTRATOR}".encode())
                radius = f'radius radiusservers="127.0.0.1" radiusports="{port}" radiussecrets="{secret}"'
                rules = [
                    f"host all {postgres.SUPERUSER} all trust",
                    f"host all +rds_iam all {radius}",
                    "host all all all scram-sha-256",
                ]
                (started.scratch / "data" / "pg_hba.conf").write_text("\n".join(rules) + "\n")
                superuser.execute("SELECT pg_reload_conf()")
                errors = superuser.execute("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL")
                assert errors.fetchall() == []
            yield made
    finally:
        postgres.stop(started)


@contextmanager
def _token_server() -> Iterator[tuple[int, str]]:
    """Accept the token and nothing else; yield the port and the shared secret."""
    secret = secrets.token_hex(8)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                request, peer = server.recvfrom(4096)
                if not request:
                    return
                server.sendto(_response(request, secret.encode()), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        try:
            yield port, secret
        finally:
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
                client.sendto(b"", ("127.0.0.1", port))
            thread.join()


def _response(request: bytes, secret: bytes) -> bytes:
    """Answer an Access-Request (RFC 2865)."""
    identifier, authenticator = request[1], request[4:20]
    code = _ACCEPT if _password(request[20:], authenticator, secret) == TOKEN else _REJECT
    header = struct.pack("!BBH", code, identifier, 20)
    return header + hashlib.md5(header + authenticator + secret).digest()  # noqa: S324 - RADIUS is built on MD5


def _password(attributes: bytes, authenticator: bytes, secret: bytes) -> str:
    while attributes:
        kind, length = attributes[0], attributes[1]
        value, attributes = attributes[2:length], attributes[length:]
        if kind == _USER_PASSWORD:
            return _decrypted(value, authenticator, secret).rstrip(b"\0").decode()
    return ""


def _decrypted(value: bytes, previous: bytes, secret: bytes) -> bytes:
    plain = b""
    for start in range(0, len(value), 16):
        block = value[start : start + 16]
        key = hashlib.md5(secret + previous).digest()  # noqa: S324 - likewise
        plain += bytes(a ^ b for a, b in zip(block, key, strict=True))
        previous = block
    return plain
