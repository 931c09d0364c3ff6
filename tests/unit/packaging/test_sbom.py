"""The bills of materials of the packages and of the console."""

import json
import re
from typing import Any

from scripts.common.project_files import CHECKOUT
from scripts.local.web import WEB
from scripts.packaging.sbom import SERVED, of_console, of_package

SIX = b"Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\nLicense: MIT\n"
TEXT = (
    b"Name: Long_Licence\nVersion: 2\nLicense: A\n text\nClassifier: License :: OSI Approved :: BSD License\n"
)


def _files(**extra: bytes) -> dict[str, bytes]:
    return {
        "services/order/handlers.py": b"",
        "six-1.17.0.dist-info/METADATA": SIX,
        "long-2.dist-info/METADATA": TEXT,
    } | extra


def _console() -> dict[str, Any]:
    bill: dict[str, Any] = json.loads(of_console(json.loads((WEB / "package-lock.json").read_text())))
    return bill


def test_a_package_lists_name_version_and_licence_of_what_is_in_it() -> None:
    bill = json.loads(of_package("order", _files()))

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "pulsequeue-order"
    assert [(it["purl"], it["licenses"][0]["license"]["name"]) for it in bill["components"]] == [
        ("pkg:pypi/long-licence@2", "BSD License"),
        ("pkg:pypi/six@1.17.0", "MIT"),
    ]
    assert bill["dependencies"] == [
        {"ref": "pulsequeue-order", "dependsOn": [it["bom-ref"] for it in bill["components"]]}
    ]


def test_the_same_content_gives_the_same_bytes_and_other_content_another_serial_number() -> None:
    files = _files()
    other = {**files, "six-1.17.0.dist-info/METADATA": SIX.replace(b"1.17.0", b"1.17.1")}

    assert of_package("order", files) == of_package("order", dict(reversed(files.items())))
    serials = {json.loads(of_package("order", it))["serialNumber"] for it in (files, other)}
    assert len(serials) == 2
    assert all(re.fullmatch("urn:uuid:[0-9a-f-]{36}", it) for it in serials)


def test_the_console_tells_what_pages_hold_from_what_builds_them() -> None:
    scope = {it["name"]: it["scope"] for it in _console()["components"]}

    assert {scope[it] for it in ("react", "react-dom", "scheduler", "recharts", "d3-array")} == {"required"}
    assert {scope[it] for it in ("vite", "rolldown", "@vitejs/plugin-react")} == {"excluded"}
    assert not {"vitest", "jsdom", "typescript"} & set(scope)


def test_every_component_of_the_console_has_its_licence_and_the_hash_of_the_lock() -> None:
    components = _console()["components"]

    assert all(it["hashes"][0]["alg"] == "SHA-512" and it["licenses"] for it in components)
    assert all(re.fullmatch("[0-9a-f]{128}", it["hashes"][0]["content"]) for it in components)
    assert len({it["bom-ref"] for it in components}) == len(components)
    assert "pkg:npm/%40tanstack/react-query@" in " ".join(it["purl"] for it in components)


def test_the_pages_import_exactly_what_counts_as_served() -> None:
    sources = [it.read_text(encoding="utf-8") for it in (CHECKOUT / "web" / "src").rglob("*.ts*")]
    imported = {
        "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        for source in sources
        if "node:" not in source
        for name in re.findall(r'(?:from|import) "([@a-z][^"]+)"', source)
    }
    declared = set(json.loads((WEB / "package.json").read_text())["dependencies"])

    assert imported & declared == set(SERVED)
