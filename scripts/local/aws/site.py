"""The one origin of the local stack: a bucket with the console's pages, and the API beside them.

infra/modules/site is the same on AWS.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from scripts.common.project_files import CHECKOUT
from scripts.environment.lambda_env import LOCAL_ACCOUNT
from scripts.local.aws.triggers import route_url

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import (
        CacheBehaviorTypeDef,
        DistributionConfigTypeDef,
        OriginTypeDef,
        ResponseHeadersPolicyConfigTypeDef,
    )

    from scripts.environment.environment import Environment

EDGE_FUNCTION: Final = CHECKOUT / "infra/modules/site/edge.js"
API_PATHS: Final = ("/api/*", "/auth/*", "/webhooks/*")

_RUNTIME: Final = "cloudfront-js-2.0"
# Policies that AWS manages, by their fixed ids.
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER_EXCEPT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_YEARS_2: Final = 63_072_000
_PAGES: Final = "pages"
_API: Final = "api"
_READS: Final = ("GET", "HEAD")
_ALL_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def content_security_policy(environment: Environment) -> str:
    """Return what pages may do: requests go to their own origin and, with files, to the bucket of uploads."""
    endpoint = environment.client("s3").meta.endpoint_url
    addresses = [
        f"{endpoint}/{environment.names.bucket(name, LOCAL_ACCOUNT)}"
        for name, it in environment.topology.buckets.items()
        if it.notifies
    ]
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {' '.join(addresses)}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    bucket: str
    distribution_id: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the distribution is made of: a name, two ids, and the function's ARN."""

    bucket: str
    access_control: str
    function: str
    headers_policy: str


def make_site(environment: Environment, api_id: str) -> Site:
    """Create or update the bucket and the distribution; return its address, which the first start chooses."""
    names = environment.names
    bucket = names.site_bucket(LOCAL_ACCOUNT)
    s3 = environment.client("s3")
    s3.create_bucket(Bucket=bucket)  # answers the same for one's own bucket
    parts = _Parts(
        bucket, _access_control(environment), _edge_function(environment), _headers_policy(environment)
    )
    config = _distribution(environment, api_id, parts)
    distribution_id, arn, domain = _make_distribution(environment, config)
    s3.put_bucket_policy(Bucket=bucket, Policy=_bucket_policy(bucket, arn))
    label = domain.partition(".")[0]
    port = urlsplit(s3.meta.endpoint_url).port
    return Site(f"http://{label}.cloudfront.localhost:{port}", bucket, distribution_id)


def _make_distribution(environment: Environment, config: DistributionConfigTypeDef) -> tuple[str, str, str]:
    cloudfront = environment.client("cloudfront")
    found = [
        it
        for it in cloudfront.list_distributions()["DistributionList"].get("Items", ())
        if it["Comment"] == config["Comment"]
    ]
    if not found:
        made = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
        return made["Id"], made["ARN"], made["DomainName"]
    current = cloudfront.get_distribution_config(Id=found[0]["Id"])
    # The port of the origins may have changed.
    cloudfront.update_distribution(
        Id=found[0]["Id"],
        IfMatch=current["ETag"],
        DistributionConfig={**config, "CallerReference": current["DistributionConfig"]["CallerReference"]},
    )
    return found[0]["Id"], found[0]["ARN"], found[0]["DomainName"]


def _distribution(environment: Environment, api_id: str, parts: _Parts) -> DistributionConfigTypeDef:
    def behavior(origin: str, *events: str) -> dict[str, Any]:
        methods = _READS if origin == _PAGES else _ALL_METHODS
        shown: dict[str, Any] = {
            "TargetOriginId": origin,
            "ViewerProtocolPolicy": "allow-all",  # the emulator has no TLS
            "AllowedMethods": {
                "Quantity": len(methods),
                "Items": list(methods),
                "CachedMethods": {"Quantity": len(_READS), "Items": list(_READS)},
            },
            "Compress": True,
            "CachePolicyId": _CACHING_OPTIMIZED if origin == _PAGES else _CACHING_DISABLED,
            "ResponseHeadersPolicyId": parts.headers_policy,
            "FunctionAssociations": {
                "Quantity": len(events),
                "Items": [{"FunctionARN": parts.function, "EventType": event} for event in events],
            },
        }
        if origin == _API:
            shown["OriginRequestPolicyId"] = _ALL_VIEWER_EXCEPT_HOST
        return shown

    assets: CacheBehaviorTypeDef = {"PathPattern": "/assets/*", **behavior(_PAGES)}  # type: ignore[typeddict-item]
    api: list[CacheBehaviorTypeDef] = [
        {"PathPattern": path, **behavior(_API, "viewer-request")}  # type: ignore[typeddict-item]
        for path in API_PATHS
    ]
    name = environment.names.site
    return {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {
            "Quantity": 2,
            "Items": [_bucket_origin(environment, parts), _api_origin(environment, api_id)],
        },
        "DefaultCacheBehavior": behavior(_PAGES, "viewer-request", "viewer-response"),  # type: ignore[typeddict-item]
        "CacheBehaviors": {"Quantity": 1 + len(api), "Items": [assets, *api]},
    }


def _bucket_origin(environment: Environment, parts: _Parts) -> OriginTypeDef:
    return {
        "Id": _PAGES,
        "DomainName": f"{parts.bucket}.s3.{environment.region}.amazonaws.com",
        "OriginAccessControlId": parts.access_control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def _api_origin(environment: Environment, api_id: str) -> OriginTypeDef:
    """Return the API by its address on this machine: the emulator does not reach it by AWS's name."""
    url = urlsplit(route_url(environment.client("s3").meta.endpoint_url, api_id, ""))
    return {
        "Id": _API,
        "DomainName": url.hostname or "",
        "OriginPath": url.path,
        "CustomOriginConfig": {
            "HTTPPort": url.port or 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
        },
    }


def _access_control(environment: Environment) -> str:
    cloudfront, name = environment.client("cloudfront"), environment.names.site
    with contextlib.suppress(cloudfront.exceptions.OriginAccessControlAlreadyExists):
        return cloudfront.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": name,
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]
    found = cloudfront.list_origin_access_controls()["OriginAccessControlList"]["Items"]
    return next(it["Id"] for it in found if it["Name"] == name)


def _edge_function(environment: Environment) -> str:
    """Publish the function; an unchanged one is left alone."""
    cloudfront, name = environment.client("cloudfront"), environment.names.site
    code = EDGE_FUNCTION.read_bytes()
    try:
        live = cloudfront.get_function(Name=name, Stage="LIVE")
        if live["FunctionCode"].read() == code:
            return _function_arn(environment)
        etag = cloudfront.update_function(
            Name=name,
            IfMatch=cloudfront.describe_function(Name=name)["ETag"],
            FunctionConfig={"Comment": name, "Runtime": _RUNTIME},
            FunctionCode=code,
        )["ETag"]
    except cloudfront.exceptions.NoSuchFunctionExists:
        etag = cloudfront.create_function(
            Name=name, FunctionConfig={"Comment": name, "Runtime": _RUNTIME}, FunctionCode=code
        )["ETag"]
    cloudfront.publish_function(Name=name, IfMatch=etag)
    return _function_arn(environment)


def _function_arn(environment: Environment) -> str:
    summary = environment.client("cloudfront").describe_function(Name=environment.names.site, Stage="LIVE")
    return summary["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def _headers_policy(environment: Environment) -> str:
    cloudfront, config = environment.client("cloudfront"), _headers(environment)
    listed = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    found = [it["ResponseHeadersPolicy"] for it in listed.get("Items", ())]
    for policy in found:
        if policy["ResponseHeadersPolicyConfig"]["Name"] == config["Name"]:
            etag = cloudfront.get_response_headers_policy(Id=policy["Id"])["ETag"]
            cloudfront.update_response_headers_policy(
                Id=policy["Id"], IfMatch=etag, ResponseHeadersPolicyConfig=config
            )
            return policy["Id"]
    return cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=config)[
        "ResponseHeadersPolicy"
    ]["Id"]


def _headers(environment: Environment) -> ResponseHeadersPolicyConfigTypeDef:
    return {
        "Name": environment.names.site,
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {
                "Override": True,
                "ContentSecurityPolicy": content_security_policy(environment),
            },
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"Override": True, "FrameOption": "DENY"},
            "ReferrerPolicy": {"Override": True, "ReferrerPolicy": "same-origin"},
            "StrictTransportSecurity": {
                "Override": True,
                "AccessControlMaxAgeSec": _YEARS_2,
                "IncludeSubdomains": True,
            },
        },
        "CustomHeadersConfig": {
            "Quantity": 1,
            "Items": [{"Header": "cross-origin-opener-policy", "Value": "same-origin", "Override": True}],
        },
    }


def _bucket_policy(bucket: str, distribution_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Distribution",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": f"arn:aws:s3:::{bucket}/*",
                    "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
                }
            ],
        }
    )
