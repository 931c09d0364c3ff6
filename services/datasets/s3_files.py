"""Uploads and results in S3: the objects, a form that takes one upload, and links that read for minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from botocore.exceptions import BotoCoreError, ClientError

from services.datasets.domain import DATA, MAX_BYTES, REJECTS
from services.datasets.records import LoadKey
from services.shared.adapters.clients import is_transient
from services.shared.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT_TYPE: Final = "text/csv"
FORM_SECONDS: Final = 3_600
LINK_SECONDS: Final = 300
_DELETED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What a multipart POST needs to upload one file, once signed."""

    url: str
    fields: Mapping[str, str]


class S3Files:
    form_seconds = FORM_SECONDS

    def __init__(self, client: "S3Client", *, uploads: str, results: str) -> None:
        self._client = client
        self._uploads = uploads
        self._results = results

    def form(self, key: LoadKey) -> UploadForm:
        """Sign a form for this load alone: its key, its type and the most bytes are part of the signature."""
        signed = self._client.generate_presigned_post(
            self._uploads,
            object_key(key),
            Fields={"Content-Type": CONTENT_TYPE},
            Conditions=[{"Content-Type": CONTENT_TYPE}, ["content-length-range", 1, MAX_BYTES]],
            ExpiresIn=FORM_SECONDS,
        )
        return UploadForm(signed["url"], signed["fields"])

    def link(self, key: LoadKey, name: str, file_name: str) -> str:
        """Sign a link that downloads a result under this name."""
        disposition = f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._results,
                "Key": f"{object_key(key)}/{name}",
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=LINK_SECONDS,
        )

    def delete(self, keys: Sequence[LoadKey]) -> None:
        """Delete the files of these loads; those that do not exist are none to delete."""
        for at in range(0, len(keys), _DELETED_AT_ONCE // 2):
            some = keys[at : at + _DELETED_AT_ONCE // 2]
            self._delete(self._uploads, [object_key(it) for it in some])
            self._delete(
                self._results, [f"{object_key(it)}/{name}" for it in some for name in (DATA, REJECTS)]
            )

    def fetch_upload(self, key: LoadKey, target: Path) -> None:
        self._fetch(self._uploads, object_key(key), target)

    def fetch_result(self, key: LoadKey, name: str, target: Path) -> bool:
        """Download a result of an earlier attempt; False if there is none."""
        try:
            self._fetch(self._results, f"{object_key(key)}/{name}", target)
        except ClientError as error:
            # Without the right to list, S3 says 403 of an object that does not exist.
            if error.response["Error"]["Code"] in {"NoSuchKey", "AccessDenied", "403", "404"}:
                return False
            raise
        return True

    def store_result(self, key: LoadKey, name: str, source: Path) -> None:
        with source.open("rb") as body:
            self._call("put_object", Bucket=self._results, Key=f"{object_key(key)}/{name}", Body=body)

    def _fetch(self, bucket: str, key: str, target: Path) -> None:
        response = self._call("get_object", Bucket=bucket, Key=key)
        with target.open("wb") as file:
            copyfileobj(response["Body"], file, 1 << 20)

    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        self._call(
            "delete_objects", Bucket=bucket, Delete={"Objects": [{"Key": it} for it in keys], "Quiet": True}
        )

    def _call(self, operation: str, **parameters: object) -> dict[str, Any]:
        try:
            return getattr(self._client, operation)(**parameters)  # type: ignore[no-any-return]
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                raise StoreUnavailableError(f"S3 is unavailable: {error}") from error
            raise


def object_key(key: LoadKey) -> str:
    return f"{quote(key.tenant_id, safe='')}/{key.dataset_id}/{key.load_id}"


def load_of(object_key: str) -> LoadKey | None:
    """Return the load that an upload belongs to; None of another object."""
    tenant, _, rest = object_key.partition("/")
    dataset, _, number = rest.partition("/")
    return (
        LoadKey(unquote(tenant), dataset, int(number)) if tenant and dataset and number.isdecimal() else None
    )
