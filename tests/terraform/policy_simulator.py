"""Evaluates IAM policies of one account as AWS documents it: deny, then allow by policy and boundary."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

Statement = Mapping[str, Any]

POWER_USER: Final[Sequence[Statement]] = (
    {
        "Effect": "Allow",
        "NotAction": ["iam:*", "organizations:*", "account:*"],
        "Resource": "*",
    },
    {
        "Effect": "Allow",
        "Action": [
            "account:GetAccountInformation",
            "account:GetPrimaryEmail",
            "account:ListRegions",
            "iam:CreateServiceLinkedRole",
            "iam:DeleteServiceLinkedRole",
            "iam:ListRoles",
            "organizations:DescribeOrganization",
        ],
        "Resource": "*",
    },
)
"""AWS's managed policy PowerUserAccess."""


@dataclass(frozen=True)
class Request:
    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


def is_allowed(
    request: Request, policy: Sequence[Statement], boundary: Sequence[Statement] | None = None
) -> bool:
    documents = [policy, *([] if boundary is None else [boundary])]
    if any(_matches(it, request) for document in documents for it in document if it["Effect"] == "Deny"):
        return False
    return all(
        any(_matches(it, request) for it in document if it["Effect"] == "Allow") for document in documents
    )


def refused_by(request: Request, policy: Sequence[Statement]) -> str:
    """Name the statement that denies a refused request."""
    assert not is_allowed(request, policy)
    denying = [it["Sid"] for it in policy if it["Effect"] == "Deny" and _matches(it, request)]
    return ", ".join(f"`{sid}`" for sid in denying) or "nothing allows it"


def _matches(statement: Statement, request: Request) -> bool:
    action = request.action.lower()
    if "Action" in statement:
        named = any(fnmatchcase(action, it.lower()) for it in listed(statement["Action"]))
    else:
        named = not any(fnmatchcase(action, it.lower()) for it in listed(statement["NotAction"]))
    there = any(fnmatchcase(request.resource, it) for it in listed(statement["Resource"]))
    conditions = statement.get("Condition", {})
    return (
        named
        and there
        and all(_holds(operator, keys, request.context) for operator, keys in conditions.items())
    )


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(_key_holds(operator, context.get(key), listed(value)) for key, value in keys.items())


def _key_holds(operator: str, actual: str | None, expected: Sequence[str]) -> bool:
    match operator:
        case "Null":
            return (actual is None) == (expected[0] == "true")
        case "StringEquals":
            return actual in expected
        case "StringLike":
            return actual is not None and any(fnmatchcase(actual, it) for it in expected)
        case "StringNotLike":
            # A missing key does match a negated operator.
            return actual is None or not any(fnmatchcase(actual, it) for it in expected)
        case _:
            raise AssertionError(f"the simulator does not know {operator}")


def listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else [*value]
