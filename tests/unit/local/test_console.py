"""The console beside the stack: a build that fails is one sentence, and starts once."""

from pathlib import Path

from scripts.common.errors import ToolError
from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.local.console import ConsoleBuild

ENVIRONMENT = Environment(
    "local", Topology.load(), Clients.of_emulator("http://127.0.0.1:9", "us-east-1", "test", "test")
)


def test_without_the_registry_the_stack_has_no_page_and_says_why() -> None:
    def build() -> Path:
        raise ToolError("the npm registry does not answer.")

    assert ConsoleBuild(build).publish(ENVIRONMENT) == "the npm registry does not answer."


def test_a_build_without_a_page_is_named(tmp_path: Path) -> None:
    assert ConsoleBuild(lambda: tmp_path).publish(ENVIRONMENT) == (
        f"{tmp_path} holds no index.html; build the console with `make web`."
    )


def test_it_is_built_once(tmp_path: Path) -> None:
    builds: list[int] = []

    def build() -> Path:
        builds.append(1)
        return tmp_path

    console = ConsoleBuild(build)
    console.start()
    console.start()
    console.publish(ENVIRONMENT)

    assert builds == [1]
