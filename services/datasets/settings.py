"""The environment variables of the functions of datasets."""

from pydantic import Field

from services.shared.database import DatabaseSettings
from services.shared.settings import QueueSettings


class BucketSettings(DatabaseSettings):
    uploads_bucket: str = Field(alias="RAW_UPLOADS_BUCKET", min_length=1)
    results_bucket: str = Field(alias="PROCESSED_DATA_BUCKET", min_length=1)


class ApiSettings(BucketSettings):
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)
    ingest_queue: str = Field(alias="DATASET_INGEST_QUEUE", min_length=1)
    allowed_origins: str = Field(alias="ALLOWED_ORIGINS", default="")
    """Origins that CORS allows, separated by spaces."""


class IngestSettings(BucketSettings, QueueSettings):
    pass
