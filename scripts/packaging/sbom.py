"""Bills of materials (CycloneDX): what a package of functions and what the console's pages are made of.

The same content gives the same bytes: no times, and a serial number made of what is listed.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from services.version import __version__

FILE: Final = "sbom.cdx.json"
SERVED: Final = (
    "@tanstack/react-query",
    "@tanstack/react-router",
    "openapi-fetch",
    "react",
    "react-dom",
    "recharts",
)
"""What the pages import; every other package of the console only builds it."""
_OSI: Final = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    version: str
    purl: str
    license: str | None = None
    sha512: str | None = None
    shipped: bool = True
    """Whether it is in what is deployed, and not only used to build it."""

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "scope": "required" if self.shipped else "excluded",
            "purl": self.purl,
        }
        if self.sha512:
            document["hashes"] = [{"alg": "SHA-512", "content": self.sha512}]
        if self.license:
            document["licenses"] = [{"license": {"name": self.license}}]
        return document


def of_package(service: str, files: Mapping[str, bytes]) -> bytes:
    """Return the bill of a service's package, read from the metadata of what is in it."""
    metadata = (content for path, content in files.items() if PurePosixPath(path).name == "METADATA")
    return _bill(f"pulsequeue-{service}", [_of_metadata(it) for it in metadata])


def of_console(lock: Mapping[str, Any]) -> bytes:
    """Return the bill of the console, from its package-lock.json."""
    packages: Mapping[str, Any] = lock["packages"]
    served = set(_reachable(packages, SERVED))
    return _bill(
        "pulsequeue-console",
        [
            _of_npm(path, package, shipped=path in served)
            for path, package in packages.items()
            if path and not package.get("dev")
        ],
    )


def _of_metadata(metadata: bytes) -> Component:
    headers = BytesHeaderParser().parsebytes(metadata)
    name, version = str(headers["Name"]), str(headers["Version"])
    classified = [it.removeprefix(_OSI) for it in headers.get_all("Classifier", ()) if it.startswith(_OSI)]
    # Older packages give their licence's whole text, or only a class of it.
    named = str(headers["License-Expression"] or headers["License"] or "").strip()
    return Component(
        name=name,
        version=version,
        purl=f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}",
        license=named if named and "\n" not in named else next(iter(classified), None),
    )


def _of_npm(path: str, package: Mapping[str, Any], *, shipped: bool) -> Component:
    name = path.rpartition("node_modules/")[2]
    algorithm, _, digest = package.get("integrity", "").partition("-")
    return Component(
        name=name,
        version=package["version"],
        purl=f"pkg:npm/{quote(name)}@{quote(package['version'])}",
        license=package.get("license"),
        sha512=b64decode(digest).hex() if algorithm == "sha512" else None,
        shipped=shipped,
    )


def _reachable(packages: Mapping[str, Any], roots: Sequence[str]) -> Iterator[str]:
    """Yield the paths of these packages and of all that they depend on, as Node finds them."""
    seen: set[str] = set()
    left = [("", name) for name in roots]
    while left:
        origin, name = left.pop()
        path = _resolve(packages, origin, name)
        if path is None or path in seen:  # an optional peer may be missing
            continue
        seen.add(path)
        yield path
        package = packages[path]
        needed = {**package.get("dependencies", {}), **package.get("peerDependencies", {})}
        left.extend((path, it) for it in needed)


def _resolve(packages: Mapping[str, Any], origin: str, name: str) -> str | None:
    while True:
        path = f"{origin}/node_modules/{name}" if origin else f"node_modules/{name}"
        if path in packages:
            return path
        if not origin:
            return None
        origin = origin.rpartition("node_modules/")[0].rstrip("/")


def _bill(name: str, components: Sequence[Component]) -> bytes:
    # One package may lie at several places of node_modules: it is shipped if one of them is.
    by_purl: dict[str, Component] = {}
    for it in sorted(components, key=lambda it: (it.purl, it.shipped)):
        by_purl[it.purl] = it
    content = {
        "metadata": {
            "component": {"type": "application", "bom-ref": name, "name": name, "version": __version__}
        },
        "components": [it.document() for it in by_purl.values()],
        "dependencies": [{"ref": name, "dependsOn": list(by_purl)}],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return json.dumps(head | content, indent=1).encode() + b"\n"
