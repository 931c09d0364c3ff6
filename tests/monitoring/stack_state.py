"""The state file that a running stack writes."""

from scripts.environment.local_state import StackState


def stack_state(**given: str | None) -> StackState:
    return StackState(
        env="local",
        aws_endpoint="http://127.0.0.1:9",
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        processes=(),
        scratch="/nonexistent",
        logs={},
        started_at="2026-01-31T12:00:00Z",
        metrics_url=given.get("url"),
        metrics_token=given.get("token"),
    )
