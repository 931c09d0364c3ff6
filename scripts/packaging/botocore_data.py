"""What botocore has to know of AWS: the services our functions call, without their manuals.

botocore looks through the folders of all of its 400 services when it makes its first client, and reads the
endpoints of all of them. Here it finds seven.
"""

import gzip
import json
from pathlib import PurePosixPath
from typing import Any, Final

SERVICES: Final = {
    "cloudwatch": "monitoring",
    "dynamodb": "dynamodb",
    "events": "events",
    "secretsmanager": "secretsmanager",
    "sqs": "sqs",
    "ssm": "ssm",
    "xray": "xray",
}
"""What functions call, and its name in the table of endpoints. The X-Ray SDK makes a client when it is
imported; the credentials of a function are in its environment, and nothing has to be asked for them."""

_DATA = PurePosixPath("botocore/data")


def is_needed(path: PurePosixPath) -> bool:
    """Tell whether a file of botocore's data is about a service we call, or about all of them."""
    place = path.relative_to(_DATA).parts
    about_all = len(place) == 1
    return about_all or (place[0] in SERVICES and path.name != "examples-1.json")


def trimmed(path: PurePosixPath, content: bytes) -> tuple[PurePosixPath, bytes]:
    """Return what to ship in place of a file of botocore's data."""
    if path.name == "endpoints.json":
        return path, _compact(_endpoints_of_ours(json.loads(content)))
    if path.name == "service-2.json.gz":
        # Unpacked, because the zip compresses anyway, and once is enough.
        return path.with_suffix(""), _compact(_without_documentation(json.loads(gzip.decompress(content))))
    return path, content


def is_data(path: PurePosixPath) -> bool:
    return path.is_relative_to(_DATA)


def _endpoints_of_ours(table: dict[str, Any]) -> dict[str, Any]:
    kept = set(SERVICES.values())
    return {
        **table,
        "partitions": [
            {**partition, "services": {it: said for it, said in partition["services"].items() if it in kept}}
            for partition in table["partitions"]
        ],
    }


def _without_documentation(model: Any) -> Any:  # noqa: ANN401 - JSON
    match model:
        case dict():
            # Only text is documentation: a shape may have a member of that name.
            return {
                name: _without_documentation(said)
                for name, said in model.items()
                if not (name == "documentation" and isinstance(said, str))
            }
        case list():
            return [_without_documentation(said) for said in model]
        case _:
            return model


def _compact(document: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
