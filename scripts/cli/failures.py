"""Turns an exception into one sentence: what happened, then what to do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


def explain(error: Exception) -> str:
    return silent_stack(error) or _sentence(error)


def silent_stack(error: BaseException | None) -> str | None:
    """Return what to say if the error is, or comes from, a call that the local stack did not answer."""
    from scripts.environment.local_state import StackState, home_folder

    while error is not None:
        # Only botocore's connection errors name an endpoint.
        url = getattr(error, "kwargs", {}).get("endpoint_url")
        state = StackState.read(home_folder()) if url else None
        if state is not None and f"{url}/".startswith(f"{state.aws_endpoint}/"):
            return (
                f"the local stack does not answer at {state.aws_endpoint}; "
                "`pulsequeue status` says what is wrong, `make up` repairs it."
            )
        error = error.__cause__
    return None


def _sentence(error: Exception) -> str:
    from botocore.exceptions import BotoCoreError, ClientError
    from pydantic import ValidationError

    from scripts.common.json_input import faults
    from services.shared.errors import PulseQueueError

    match error:
        case ClientError() | BotoCoreError():
            return _aws_sentence(error)
        case ValidationError():
            return f"{error.title} is not valid: {'; '.join(faults(error))}."
        case PulseQueueError():
            return f"{error}; retry."
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror or error}."
        case _:
            what = f"{type(error).__name__}: {error}"
            return f"unexpected error ({what}); set PULSEQUEUE_DEBUG=1 for a traceback."


def _aws_sentence(error: "BotoCoreError | ClientError") -> str:
    from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

    match error:
        case ClientError():
            details = error.response.get("Error", {})
            return f"AWS refused {error.operation_name}: {details.get('Message') or details.get('Code')}"
        case NoCredentialsError():
            return "no AWS credentials; log in, or set AWS_PROFILE."
        case EndpointConnectionError():
            return f"cannot reach AWS: {error} Check the network, or start the stack with `make up`."
        case _:
            return f"the AWS call failed: {error}"
