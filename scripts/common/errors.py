"""The error of the command-line tools."""


class ToolError(Exception):
    """A sentence for the user, printed without a traceback."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
