"""Everything is forgotten while others read and write."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from services.analytics.admin import reset
from services.analytics.projector.service import Projector
from services.shared.database import Connection
from tests.postgres.conftest import Analytics
from tests.postgres.events import TENANT, Shop, messages
from tests.support.fakes import RecordingTelemetry

_SECONDS = 20


def _waits(analytics: Analytics, who: Connection) -> bool:
    return analytics.rows(
        "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", who.info.backend_pid
    ) == [("Lock",)]


def test_who_is_in_the_middle_of_an_answer_can_finish_it(analytics: Analytics) -> None:
    Projector(analytics.projector, RecordingTelemetry()).handle(messages(Shop("o-1").sold()))
    with closing(analytics.connect()) as owner, ThreadPoolExecutor(1) as pool:
        with analytics.api.transaction(TENANT) as session:
            session.execute("SELECT events FROM projection_checkpoints")
            emptied = pool.submit(reset.empty, owner)
            deadline = time.monotonic() + _SECONDS
            while not _waits(analytics, owner):
                assert time.monotonic() < deadline
            answer = session.execute("SELECT count(*) FROM event_inbox").fetchone()
        emptied.result(timeout=_SECONDS)

    assert answer is not None
    assert answer[0] > 0
    assert analytics.rows("SELECT 1 FROM event_inbox") == []
