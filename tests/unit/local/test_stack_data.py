"""What the local stack keeps between `down` and `up`, without a stack."""

import os
from pathlib import Path

from scripts.environment.local_state import make_home
from scripts.local import stack_data
from scripts.local.aws.cloudwatch_shipper import cursors_file
from scripts.local.aws.emulator_main import queues_first


def prepared(home: Path) -> Path:
    """Make a home whose emulator has been started on port 4566; return the folder of its state."""
    make_home(home)
    stack_data.prepare(home, stack_data.open_data(home), 4566)
    return stack_data.emulator_folder(home)


def test_a_changed_port_is_changed_in_saved_urls_only(tmp_path: Path) -> None:
    state = prepared(tmp_path)
    (state / "sqs.json").write_text(
        '"http://127.0.0.1:4566/0/q" "http://localhost:4566/0/q" "http://127.0.0.1:45661/0/q" 4566', "utf-8"
    )

    stack_data.prepare(tmp_path, stack_data.open_data(tmp_path), 4600)

    assert (state / "sqs.json").read_text("utf-8") == (
        '"http://127.0.0.1:4600/0/q" "http://localhost:4600/0/q" "http://127.0.0.1:45661/0/q" 4566'
    )
    stack_data.reset(tmp_path)


def test_log_cursors_return_to_where_they_were_when_the_logs_were_saved(tmp_path: Path) -> None:
    state = prepared(tmp_path)
    cursors_file(tmp_path).write_text("saved", "utf-8")
    assert stack_data.save(tmp_path, lambda: (state / "dynamodb.json").write_text("{}", "utf-8"))
    cursors_file(tmp_path).write_text("later, before a kill", "utf-8")

    stack_data.prepare(tmp_path, stack_data.open_data(tmp_path), 4566)

    assert cursors_file(tmp_path).read_text("utf-8") == "saved"
    stack_data.reset(tmp_path)


def test_an_interrupted_first_start_has_lost_nothing(tmp_path: Path) -> None:
    prepared(tmp_path)

    stack_data.prepare(tmp_path, stack_data.open_data(tmp_path), 4566)

    assert stack_data.open_data(tmp_path).lost_since is None
    stack_data.reset(tmp_path)


def test_an_emulator_that_ends_without_saving_has_lost_what_came_since(tmp_path: Path) -> None:
    state = prepared(tmp_path)
    stack_data.mark_complete(tmp_path)
    (state / "dynamodb.json").write_text("{}", "utf-8")
    os.utime(state / "dynamodb.json", (1, 1))

    assert not stack_data.save(tmp_path, lambda: None)
    stack_data.prepare(tmp_path, stack_data.open_data(tmp_path), 4566)

    data = stack_data.open_data(tmp_path)
    assert data.lost_since == data.created_at
    stack_data.reset(tmp_path)


def test_a_saved_emulator_has_lost_nothing(tmp_path: Path) -> None:
    state = prepared(tmp_path)
    assert stack_data.save(tmp_path, lambda: (state / "dynamodb.json").write_text("{}", "utf-8"))

    stack_data.prepare(tmp_path, stack_data.open_data(tmp_path), 4566)

    assert stack_data.open_data(tmp_path).lost_since is None
    stack_data.reset(tmp_path)


def test_reset_removes_the_database_wherever_it_is(tmp_path: Path) -> None:
    prepared(tmp_path)
    database = Path(stack_data.open_data(tmp_path).database)
    assert database.is_dir()

    assert stack_data.reset(tmp_path)

    assert not database.exists()
    assert list(tmp_path.iterdir()) == []
    assert not stack_data.reset(tmp_path)


def test_queues_are_saved_before_tables() -> None:
    states = {"dynamodb": "tables", "s3": "objects", "sqs": "queues"}

    assert next(iter(queues_first(lambda: states)())) == "sqs"
