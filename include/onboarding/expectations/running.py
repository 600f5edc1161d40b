"""Great Expectations, run as SQL on both servers, once each per process."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql

from onboarding.addresses import Database
from onboarding.expectations import docs
from onboarding.expectations.scrubbing import scrub
from onboarding.expectations.suites import Asked, Suite, suites
from onboarding.expectations.tables import readable
from onboarding.expectations.verdicts import ExpectationResult, Outcome, SideAnswer

STATEMENT_TIMEOUT_S = 300
SITE = "namrong"
COUNTED = {"result_format": "BASIC", "partial_unexpected_count": 0}
BOOLEAN = {"result_format": "BOOLEAN_ONLY"}


def run(
    source: Database,
    target: Database,
    expectations: Sequence[Asked],
    *,
    out_dir: Path,
    source_snapshot: str = "",
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> ExpectationResult:
    """Every expectation's answer on both sides, and pages about them under `out_dir` (an empty or new folder).

    The servers do the work, in read-only sessions. No value of any row comes back: only met or not, and, unless the
    expectation is on personal data, how many rows miss it. Passwords are handed to the driver and lie in no URL, log or
    page. `source_snapshot`, an exported one that the caller holds, is the moment of the source that is asked.
    Raises Stop for an expectation that there is not, TryAgain when a server cannot be reached.
    """
    began = time.monotonic()
    with _quiet():
        asked = suites(expectations)
        context = _context(out_dir)
        sides = (("source", source, source_snapshot), ("target", target, ""))
        asking = [_ask(context, *side, asked, statement_timeout_s) for side in sides]
        answers, pages = zip(*asking, strict=True)
        context.build_data_docs(site_names=[SITE])
    outcomes, about = [], []
    for suite in asked:
        pair = [side[suite.name] for side in answers]
        about += [(pages[0].get(suite.name, ""), pages[1].get(suite.name, ""))] * len(suite.asked)
        for one, before, after in zip(suite.asked, *pair, strict=True):
            column = str(one.with_.get("column", ""))
            outcomes.append(Outcome(one.expect, suite.table.title, column, one.personal, before, after))
    docs.finish(out_dir, outcomes, about, str(source), str(target))
    written = tuple(sorted(str(page.relative_to(out_dir)) for page in out_dir.rglob("*") if page.is_file()))
    return ExpectationResult(tuple(outcomes), written, round(time.monotonic() - began, 3))


@contextmanager
def _quiet() -> Iterator[None]:
    """No telemetry, and no dozens of lines per run; settled before the import, which reads the variable."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _context(out_dir: Path) -> Any:
    """An in-memory project whose only trace is the pages under `out_dir`."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(out_dir)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={SITE: site},
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _ask(
    context: Any, side: str, database: Database, snapshot: str, asked: Sequence[Suite], statement_timeout_s: int
) -> tuple[dict[str, list[SideAnswer]], dict[str, str]]:
    """One side's answers, and the page about them, by the suite's name."""
    answers: dict[str, list[SideAnswer]] = {}
    pages: dict[str, str] = {}
    datasource = _datasource(context, side, database, statement_timeout_s)
    if snapshot:
        _read_from(datasource.get_engine(), snapshot)
    try:
        for suite in asked:
            query = readable(database, suite.table)
            if query is None:
                answers[suite.name] = [SideAnswer(None, problem="no such table")] * len(suite.asked)
            else:
                answers[suite.name], pages[suite.name] = _answers(context, datasource, side, suite, query)
    finally:
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()
    return answers, pages


def _datasource(context: Any, side: str, database: Database, statement_timeout_s: int) -> Any:
    options = {
        "default_transaction_read_only": "on", "statement_timeout": f"{statement_timeout_s}s", "timezone": "UTC",
        "datestyle": "ISO", "intervalstyle": "iso_8601", "row_security": "off", "search_path": "pg_catalog",
    }  # fmt: skip
    connecting = {
        "hostaddr": database.resolve(database.host),
        "password": database.password,
        "connect_timeout": 10,
        "application_name": "namrong",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }
    url = f"postgresql+psycopg://{database.user}@{database.host}:{database.port}/{database.name}"
    return context.data_sources.add_postgres(side, connection_string=url, kwargs={"connect_args": connecting})


def _read_from(engine: Any, snapshot: str) -> None:
    """Every transaction of the engine reads that moment."""
    from sqlalchemy import event

    taken = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)).as_string()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.exec_driver_sql(taken)


def _answers(context: Any, datasource: Any, side: str, suite: Suite, query: str) -> tuple[list[SideAnswer], str]:
    """The side's answers in the order they were asked, and the page about them."""
    import great_expectations as gx

    name = f"{side}-{suite.name}"
    asset = datasource.add_query_asset(name, query=query)
    batch = asset.add_batch_definition_whole_table("all")
    # ids would tie one expectation to one suite: each side gets its own copies
    fresh = [one.model_copy() if hasattr(one, "model_copy") else one.copy() for one in suite.made]
    for place, one in enumerate(fresh):
        one.meta = {"place": place}
    stored = context.suites.add(gx.ExpectationSuite(name, expectations=fresh))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=stored))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=name, validation_definitions=[definition], result_format=COUNTED if suite.counted else BOOLEAN
        )
    )
    ((identifier, result),) = checkpoint.run().run_results.items()
    answers = {one.expectation_config.meta["place"]: scrub(one, counted=suite.counted) for one in result.results}
    context.validation_results_store.set(identifier, result)
    page = "/".join(("validations", *identifier.to_tuple())) + ".html"
    return [answers[place] for place in range(len(suite.made))], page
