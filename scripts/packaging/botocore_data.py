"""Reduces botocore's data to the services our functions call, without documentation.

botocore scans the folders of all of its 400 services when it creates its first client, and reads all their
endpoints. In our packages it finds nine.
"""

import gzip
import json
from pathlib import PurePosixPath
from typing import Any, Final

SERVICES: Final = {
    "cloudwatch": "monitoring",
    "cognito-idp": "cognito-idp",
    "dynamodb": "dynamodb",
    "events": "events",
    "kms": "kms",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sqs": "sqs",
    "ssm": "ssm",
    "xray": "xray",
}
"""Services that functions call, with their names in endpoints.json. The X-Ray SDK creates a client on import.
Credentials of a function are in its environment and need no service."""

_DATA = PurePosixPath("botocore/data")


def is_needed(path: PurePosixPath) -> bool:
    """Return whether a data file belongs to a service we call, or to all services."""
    parts = path.relative_to(_DATA).parts
    is_global = len(parts) == 1
    return is_global or (parts[0] in SERVICES and path.name != "examples-1.json")


def trimmed(path: PurePosixPath, content: bytes) -> tuple[PurePosixPath, bytes]:
    """Return the path and content to ship for a data file."""
    if path.name == "endpoints.json":
        return path, _compact(_our_endpoints(json.loads(content)))
    if path.name == "service-2.json.gz":
        # Unpacked, because the zip compresses anyway, and once is enough.
        return path.with_suffix(""), _compact(_without_documentation(json.loads(gzip.decompress(content))))
    return path, content


def is_data(path: PurePosixPath) -> bool:
    return path.is_relative_to(_DATA)


def _our_endpoints(table: dict[str, Any]) -> dict[str, Any]:
    ours = set(SERVICES.values())
    return {
        **table,
        "partitions": [
            {
                **partition,
                "services": {
                    name: endpoints for name, endpoints in partition["services"].items() if name in ours
                },
            }
            for partition in table["partitions"]
        ],
    }


def _without_documentation(model: Any) -> Any:  # noqa: ANN401 - JSON
    match model:
        case dict():
            # Only strings are documentation: a shape may have a member of that name.
            return {
                name: _without_documentation(value)
                for name, value in model.items()
                if not (name == "documentation" and isinstance(value, str))
            }
        case list():
            return [_without_documentation(item) for item in model]
        case _:
            return model


def _compact(document: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
