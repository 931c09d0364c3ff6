"""What people do with datasets: upload, confirm, read, replace, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.datasets.domain import FileRefusedError, Recipe
from services.datasets.records import Dataset, DatasetLoad, LoadKey, LoadState
from services.datasets.store import LIMIT, DatasetStore
from services.shared.http import problems


@dataclass(frozen=True, slots=True)
class Known:
    """A dataset with its loads, the newest first."""

    dataset: Dataset
    loads: Sequence[DatasetLoad]


class Deletes(Protocol):
    def delete(self, keys: Sequence[LoadKey]) -> None: ...


class Datasets:
    def __init__(
        self,
        store: DatasetStore,
        files: Deletes,
        send: Callable[[LoadKey], None],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._files = files
        self._send = send
        self._new_id = new_id

    def all(self, tenant_id: str) -> Sequence[Known]:
        return [Known(*it) for it in self._store.all(tenant_id)]

    def one(self, tenant_id: str, dataset_id: str) -> Known:
        found = self._store.one(tenant_id, dataset_id)
        if found is None:
            raise _unknown(dataset_id)
        return Known(*found)

    def create(self, tenant_id: str, user_id: str, name: str) -> str:
        """Create a dataset without rows; return its id."""
        dataset_id = self._new_id()
        if not self._store.create(tenant_id, dataset_id, name, user_id):
            raise problems.ProblemError(
                problems.WRONG_STATE, f"There are {LIMIT:,} datasets already, which is the limit; delete one."
            )
        return dataset_id

    def begin_load(
        self, tenant_id: str, user_id: str, dataset_id: str, file_name: str, *, automatic: bool
    ) -> LoadKey:
        """Number a load that waits for its file."""
        key = self._store.begin_load(tenant_id, dataset_id, file_name, user_id, automatic=automatic)
        if key is None:
            raise _unknown(dataset_id)
        return key

    def confirm(
        self, tenant_id: str, dataset_id: str, load_id: int, answer: Callable[[Recipe], Recipe]
    ) -> None:
        """Load an inspected file as its proposal and these answers say; again, if it was confirmed before."""
        key = LoadKey(tenant_id, dataset_id, load_id)
        found = self._store.load(key)
        if found is None:
            raise _unknown(f"{dataset_id} with load {load_id}")
        proposal = found.proposal
        if proposal is None or found.state not in {LoadState.INSPECTED, LoadState.LOADING}:
            raise problems.ProblemError(
                problems.WRONG_STATE, f"Load {load_id} is {found.state}; only an inspected one can be loaded."
            )
        try:
            recipe = answer(proposal.recipe)
        except FileRefusedError as error:
            raise problems.bad_parameters(problems.invalid_parameter("body", str(error))) from error
        if questions := [it.name for it in recipe.columns if it.question]:
            raise problems.bad_parameters(
                *(
                    problems.invalid_parameter(name, "can be read in two ways: choose one")
                    for name in questions
                )
            )
        self._store.confirm(key, recipe)
        self._send(key)

    def loaded(self, tenant_id: str, dataset_id: str) -> DatasetLoad:
        """Return the load whose rows are read."""
        known = self.one(tenant_id, dataset_id)
        found = self._store.current(tenant_id, dataset_id)
        if found is None:
            last = f" The last load is {known.loads[0].state}." if known.loads else ""
            raise problems.ProblemError(problems.WRONG_STATE, f"The dataset has no rows yet.{last}")
        return found

    def faulty(self, tenant_id: str, dataset_id: str) -> DatasetLoad:
        """Return the last load whose rows were judged."""
        for it in self.one(tenant_id, dataset_id).loads:
            if it.first_rejects is not None:
                return it
        return self.loaded(tenant_id, dataset_id)

    def remove(self, tenant_id: str, dataset_id: str) -> None:
        loads = self._store.remove(tenant_id, dataset_id)
        if loads is None:
            raise _unknown(dataset_id)
        self._files.delete([LoadKey(tenant_id, dataset_id, it) for it in range(1, loads + 1)])


def _unknown(dataset_id: str) -> problems.ProblemError:
    return problems.not_found(f"There is no dataset {dataset_id}; `GET /api/datasets` lists them.")
