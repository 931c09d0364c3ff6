"""`pulsequeue dataset upload|load|ls|errors|series|rm`: datasets of an organization, over its API."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scripts.cli.api_session import sign_in
from scripts.cli.dataset_options import DateOrders, Decimals, Types, chosen_answers
from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.api_client import ApiClient

_SHOWN_REJECTS: Final = 10
_SHOWN_TEXT: Final = 40
_USAGE: Final = 2

Id = Annotated[str, typer.Argument(metavar="ID", help="The dataset's id, as `dataset ls` lists it.")]
User = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Who signs in, with PULSEQUEUE_PASSWORD; locally the editor by default."
    ),
]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that says when each row was.")]


def register(group: typer.Typer) -> None:
    command(
        group,
        examples=(
            "dataset upload sales.csv --yes",
            "dataset upload sales.csv --name Sales --date-order day=dmy --yes",
            "dataset upload june.csv --dataset ID --yes",
        ),
    )(upload)
    command(group, examples=("dataset load ID --date-order day=dmy",))(load)
    command(group, examples=("dataset ls",))(ls)
    command(group, examples=("dataset errors ID", "dataset errors ID --to rejects.csv"))(errors)
    command(group, examples=("dataset series ID --kpi price --by region --interval month",))(series)
    command(group, examples=("dataset rm ID",))(rm)


def upload(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A text file of rows, such as CSV.")],
    *,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the dataset is called; by default as the file.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="Replace the rows of this dataset.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Load it as it was guessed, without asking.")] = False,
    time: Time = None,
    date_order: DateOrders = None,
    decimal: Decimals = None,
    type_: Types = None,
    user: User = None,
) -> None:
    """Upload a file, show how it is read, load it, and name the rows that did not fit."""
    from scripts.ops.datasets.upload import SETTLED, follow, send_file

    answers = chosen_answers(date_order, decimal, type_, time)
    if not file.is_file() or not file.stat().st_size:
        raise ToolError(f"{file} is not a file with rows.", exit_code=_USAGE)
    if dataset is not None and name is not None:
        raise ToolError("give --name for a new dataset, or --dataset for one that exists.", exit_code=_USAGE)
    api = _api(session, user)
    # A new dataset has no earlier file whose answers could be taken.
    body: dict[str, Any] = {"fileName": file.name, "automatic": yes and not answers}
    if dataset is None:
        form = api.call("POST", "/api/datasets", {**body, "name": name or file.stem})
    else:
        form = api.call("POST", f"/api/datasets/{dataset}/loads", body)
    if file.stat().st_size > form["maxBytes"]:
        raise ToolError(f"{file} is larger than {form['maxBytes']:,} bytes; split it.")
    dataset_id, load_id = form["datasetId"], form["loadId"]
    with session.out.progress("Sending", file.stat().st_size) as sent:
        send_file(form["url"], form["fields"], file, sent)
    session.out.note(f"{file.name} is sent, as load {load_id} of {dataset_id}. Reading it ...")
    known, state = follow(api, dataset_id, load_id, {*SETTLED, "inspected", "loading"})
    if state["state"] == "inspected":
        _confirm(session, api, known, load_id, answers, yes=yes)
    _finish(session, api, dataset_id, load_id)


def load(
    session: Session,
    dataset: Id,
    *,
    time: Time = None,
    date_order: DateOrders = None,
    decimal: Decimals = None,
    type_: Types = None,
    user: User = None,
) -> None:
    """Load the last file of a dataset, which waits for a confirmation."""
    api = _api(session, user)
    known = api.call("GET", f"/api/datasets/{dataset}")
    if not known["loads"]:
        raise ToolError(f"{dataset} has no file; upload one with `pulsequeue dataset upload`.")
    load_id = known["loads"][0]["loadId"]
    answers = chosen_answers(date_order, decimal, type_, time)
    api.call("POST", f"/api/datasets/{dataset}/loads/{load_id}", answers)
    _finish(session, api, dataset, load_id)


def ls(session: Session, *, user: User = None) -> None:
    """List datasets with the state of their last load."""
    found = _api(session, user).call("GET", "/api/datasets")["datasets"]
    rows = [
        (
            it["id"],
            it["name"],
            it["loads"][0]["state"] if it["loads"] else "",
            f"{it['rows']:,}",
            f"{it['loads'][0]['rejected'] or 0:,}" if it["loads"] else "",
            f"{it['firstAt'][:10]} to {it['lastAt'][:10]}" if it["firstAt"] else "",
        )
        for it in found
    ]
    session.out.show(
        found,
        Table(
            ("id", "name", "last load", "rows", "rejected", "days"),
            rows,
            frozenset({"rows", "rejected"}),
            dispensable=("days",),
        )
        if rows
        else "There are no datasets; add one with `pulsequeue dataset upload FILE`.",
    )


def errors(
    session: Session,
    dataset: Id,
    *,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all of them into this file, as CSV.")
    ] = None,
    user: User = None,
) -> None:
    """Show the values that did not fit, each with its line and what would fit."""
    found = _api(session, user).call("GET", f"/api/datasets/{dataset}/errors")
    if to is not None:
        _download(found["url"], to)
    session.out.show(
        found,
        *_rejects(found["errors"], len(found["errors"])),
        f"{found['rejected']:,} rows of load {found['loadId']} were rejected."
        + (f" All faults are in {to}." if to else ""),
    )


def series(
    session: Session,
    dataset: Id,
    *,
    kpi: Annotated[str | None, typer.Option(metavar="COLUMN", help="By default the first.")] = None,
    by: Annotated[str | None, typer.Option(metavar="COLUMN", help="Divide the numbers by it.")] = None,
    interval: Annotated[
        str, typer.Option(metavar="NAME", help="hour, day, week, month, quarter or year.")
    ] = "month",
    since: Annotated[str | None, typer.Option("--from", metavar="DAY")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Exclusive.")] = None,
    user: User = None,
) -> None:
    """Show the numbers of a dataset over time."""
    query = {"kpi": kpi, "by": by, "interval": interval, "from": since, "to": until}
    found = _api(session, user).call("GET", f"/api/datasets/{dataset}/series", **query)
    rows = [
        (it["at"][:16], it["member"], it["count"], f"{it['sum']:,.2f}", f"{it['average']:,.2f}")
        for it in found["points"]
    ]
    session.out.show(
        found,
        Table(
            ("from", found["by"] or "", "rows", found["kpi"], "average"), rows, frozenset({"rows", "average"})
        ),
    )


def rm(
    session: Session,
    dataset: Id,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    user: User = None,
) -> None:
    """Delete a dataset with its rows and files."""
    api = _api(session, user)
    name = api.call("GET", f"/api/datasets/{dataset}")["name"]
    if not yes and not _ask(f"Delete {name} with all its rows and files?"):
        raise ToolError("Aborted: not confirmed. Nothing changed; --yes confirms.", exit_code=_USAGE)
    api.call("DELETE", f"/api/datasets/{dataset}")
    session.out.show({"removed": dataset}, f"{name} is deleted.")


def _api(session: Session, user: str | None) -> "ApiClient":
    from scripts.ops.api_client import ApiClient

    found = sign_in(session, user, "dataset")
    return ApiClient(found.api_url, found.sign_in)


def _confirm(
    session: Session,
    api: "ApiClient",
    known: Mapping[str, Any],
    load_id: int,
    answers: Mapping[str, Any],
    *,
    yes: bool,
) -> None:
    """Show how the file is read, and load it once somebody agrees."""
    proposal = known["proposal"]
    guesses = [(it["subject"], it["value"], it["reason"]) for it in proposal["guesses"]]
    guesses += [(f"column {it['name']}", it["type"], it["reason"]) for it in proposal["columns"]]
    guesses.append(("time of each row", proposal["time"] or "none", "the first column of dates or times"))
    if not session.out.as_json:
        session.out.show(None, Table(("what", "guess", "because"), guesses), "")
    answered = {*answers.get("dateOrders", {}), *answers.get("decimals", {}), *answers.get("types", {})}
    open_questions = [it for it in proposal["columns"] if it["question"] and it["name"] not in answered]
    if open_questions:
        example = {"date-order": "dmy", "decimal": "."}
        options = [f"--{it['question']} '{it['name']}={example[it['question']]}'" for it in open_questions]
        raise ToolError(
            f"values can be read in two ways. Choose: pulsequeue dataset load {known['id']}"
            f" {' '.join(options)}, or the other reading.",
            exit_code=_USAGE,
        )
    if not yes and not _ask("Load it like this?"):
        raise ToolError(
            f"Nothing is loaded yet. `pulsequeue dataset load {known['id']}` loads it;"
            f" `pulsequeue dataset rm {known['id']}` deletes it.",
            exit_code=_USAGE,
        )
    api.call("POST", f"/api/datasets/{known['id']}/loads/{load_id}", answers)


def _ask(question: str) -> bool:
    import sys

    return sys.stdin.isatty() and typer.confirm(question, err=True)


def _finish(session: Session, api: "ApiClient", dataset_id: str, load_id: int) -> None:
    """Follow a load to its end, and show what became of the rows."""
    from scripts.ops.datasets.upload import SETTLED, follow

    try:
        with session.out.progress("Loading, in thousandths", 1_000) as loaded:
            known, done = follow(
                api,
                dataset_id,
                load_id,
                SETTLED,
                lambda it: loaded(1_000 * it["copied"] // (it["loaded"] or 1)),
            )
    except KeyboardInterrupt:
        session.out.note("The load goes on; `pulsequeue dataset ls` shows its state.")
        raise
    if done["state"] == "failed":
        raise ToolError(f"{known['name']}: {done['reason']}.")
    faults = api.call("GET", f"/api/datasets/{dataset_id}/errors")["errors"] if done["rejected"] else []
    if done["state"] == "ready":
        text = f"{done['records']:,} records: {done['loaded']:,} loaded, {done['rejected']:,} rejected."
    else:
        text = f"Nothing changed: {done['reason'] or 'a later file has replaced it'}."
    numbers = ", ".join(known["kpis"]) or "no numbers over time"
    text += f"\n{known['name']} is dataset {dataset_id}, with {numbers}."
    session.out.show({**known, "load": done, "errors": faults}, *_rejects(faults, _SHOWN_REJECTS), text)


def _rejects(faults: Sequence[Mapping[str, Any]], most: int) -> Sequence[Table | str]:
    if not faults:
        return ()
    rows = [
        (it["line"], it["column"], it["reason"], it["expected"], it["raw"].replace("\n", " ")[:_SHOWN_TEXT])
        for it in faults[:most]
    ]
    columns = ("line", "column", "reason", "expected", "raw")
    return Table(columns, rows, frozenset({"line"}), dispensable=("expected",)), ""


def _download(url: str, to: Path) -> None:
    import shutil
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=60) as response, to.open("wb") as file:  # noqa: S310 - the API chose it
            shutil.copyfileobj(response, file)
    except (urllib.error.URLError, OSError) as error:
        raise ToolError(f"the file cannot be downloaded to {to}: {error}.") from error
