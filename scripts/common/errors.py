"""What the tools tell a person when something cannot be done."""


class ToolError(Exception):
    """One clear sentence for the user, who never sees a traceback for it."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
