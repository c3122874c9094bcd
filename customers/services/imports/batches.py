"""The life of an import: uploaded, checked, confirmed, applied. Each step is a conditional UPDATE, so that two
people or two workers cannot take it twice; a worker holds the batch's advisory lock while it checks or applies."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePath

from django.utils.translation import gettext_lazy as _

from crm.common import sql
from crm.common.errors import DomainError, InvalidInput
from crm.common.models import User
from crm.common.wake import wake
from customers.choices import ImportState, Language
from customers.core import mapping as maps
from customers.core.mapping import BadMapping, Mapping
from customers.models import ImportBatch, ImportRow
from customers.services.imports import applying, checking, files
from customers.services.imports.reasons import explain_mapping

logger = logging.getLogger(__name__)
TASK = "customers.run_imports"
KEEP = timedelta(days=30)  # the file and its staged rows, after the import is over
Clock = Callable[[], datetime]


class CannotChange(DomainError):
    """The import is in another state by now."""

    code = "import_state"
    message = _("This import is in another state by now; look at it again.")


def upload(
    *,
    file_name: str,
    data: bytes | Path | Iterable[bytes],
    source: str,
    at: datetime,
    mapping: Mapping | None = None,
    preset: str = "",
    by: User | None = None,
) -> ImportBatch:
    """Keep a file of purchases; with a mapping or a preset it waits for its check, without one for a mapping.

    Raises:
        UnreadableFile: empty, too large, or not what the preset reads.
        InvalidInput: no source, or the mapping is not complete.
    """
    source = source.strip()
    if not source or len(source) > 40 or not source.isprintable():
        raise InvalidInput(_("Name the shop system, in at most 40 characters."), field="source")
    if mapping is not None:
        _complete(mapping)
    path, digest = files.store(data)
    batch = ImportBatch(
        file_name=PurePath(file_name.replace("\\", "/")).name[-255:] or "import.csv",
        file_path=path,
        sha256=digest,
        source=source,
        uploaded_by=by,
        uploaded_at=at,
    )
    try:
        if preset:
            mapping = files.preset(batch, preset)
    except files.UnreadableFile:
        files.path_of(batch).unlink()
        raise
    batch.mapping = mapping.as_json() if mapping else {}
    batch.save()
    if mapping:
        wake(TASK)
    return batch


def _complete(mapping: Mapping) -> None:
    try:
        maps.require(mapping)
    except BadMapping as error:
        raise InvalidInput(explain_mapping(error), field=error.field) from error
    language, country = mapping.constants.get("language", ""), mapping.constants.get("country", "")
    if language and language not in Language.values:
        raise InvalidInput(_("The language is not one we write in."), field="language")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise InvalidInput(_("The country is a code of two capital letters."), field="country")


def choose_mapping(*, batch: ImportBatch, mapping: Mapping) -> None:
    """Say how to read the file; whatever an earlier check found is forgotten and the check waits for a worker.

    Raises:
        InvalidInput: the mapping is not complete.
        CannotChange: the import is being applied or is over.
    """
    _complete(mapping)
    _move(
        batch,
        [ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED],
        ImportState.UPLOADED,
        mapping=mapping.as_json(),
        error="",
        finished_at=None,
    )
    wake(TASK)


def confirm(*, batch: ImportBatch) -> None:
    """A person has read the counts and wants them applied.

    Raises:
        CannotChange: it is not waiting for that.
    """
    _move(batch, [ImportState.CHECKED], ImportState.QUEUED)
    wake(TASK)


def check(*, batch: ImportBatch, at: datetime) -> bool:
    """Give every row a verdict; nothing else is written. A file that cannot be read becomes a failed import.

    False: another worker has it, or it does not wait for a check.
    """
    with _alone(batch) as ours:
        if not ours or batch.state not in (ImportState.UPLOADED, ImportState.CHECKING) or not batch.mapping:
            return False
        _move(batch, [ImportState.UPLOADED, ImportState.CHECKING], ImportState.CHECKING)
        try:
            with sql.patient(seconds=900, memory_mb=128):
                counts = checking.check_file(batch, at)
                _move(batch, [ImportState.CHECKING], ImportState.CHECKED, error="", next_line=0, **counts)
        except DomainError as error:
            _move(batch, [ImportState.CHECKING], ImportState.FAILED, error=str(error.text), finished_at=at)
        return True


def apply(*, batch: ImportBatch, clock: Clock) -> bool:
    """Write what was confirmed, chunk by chunk; killed anywhere, calling it again goes on where it stopped.

    False: another worker has it, or it does not wait to be applied.
    """
    with _alone(batch) as ours:
        if not ours or batch.state not in (ImportState.QUEUED, ImportState.APPLYING):
            return False
        _move(batch, [ImportState.QUEUED, ImportState.APPLYING], ImportState.APPLYING)
        _stage_again(batch, clock())
        while (first := applying.next_chunk(batch)) is not None:
            applying.apply_chunk(batch, first, clock())
        _move(batch, [ImportState.APPLYING], ImportState.APPLIED, finished_at=clock())
        return True


def _stage_again(batch: ImportBatch, at: datetime) -> None:
    """The staged rows are unlogged: a crash of the server empties them, and they come from the file once more."""
    if not ImportRow.objects.filter(batch=batch).exists():
        with sql.patient(seconds=900, memory_mb=128):
            checking.check_file(batch, at)


def run_due(*, clock: Clock) -> int:
    """Check and apply whatever waits or was left by a worker that died; returns how many steps were taken."""
    tidy(now=clock())
    taken = 0
    waiting = ImportBatch.objects.filter(
        state__in=[ImportState.UPLOADED, ImportState.CHECKING, ImportState.QUEUED, ImportState.APPLYING]
    ).exclude(mapping={})
    for batch in waiting.order_by("pk"):
        try:
            if batch.state in (ImportState.QUEUED, ImportState.APPLYING):
                taken += apply(batch=batch, clock=clock)
            else:
                taken += check(batch=batch, at=clock())
        except Exception as error:
            # It stays where it is and is tried again at the next ring; staff see why on the batch meanwhile.
            logger.exception("import %s", batch.pk)
            ImportBatch.objects.filter(pk=batch.pk).update(error=str(error)[:500])
    return taken


def tidy(*, now: datetime) -> int:
    """Forget the file and the staged rows of imports that were over a month ago: they hold personal data."""
    over = ImportBatch.objects.filter(finished_at__lt=now - KEEP).exclude(file_path="")
    batches = list(over)
    for batch in batches:
        files.path_of(batch).unlink(missing_ok=True)
    ImportRow.objects.filter(batch__in=[batch.pk for batch in batches]).delete()
    over.filter(pk__in=[batch.pk for batch in batches]).update(file_path="")
    return len(batches)


def _move(batch: ImportBatch, before: list[ImportState], after: ImportState, **changes: object) -> None:
    moved = ImportBatch.objects.filter(pk=batch.pk, state__in=before).update(state=after, **changes)
    batch.refresh_from_db()
    if not moved:
        raise CannotChange


@contextmanager
def _alone(batch: ImportBatch) -> Iterator[bool]:
    """Hold the batch's lock, which dies with the connection; then see the batch as it is now."""
    name = f"import:{batch.pk}"
    ours = sql.advisory_lock(name)
    try:
        if ours:
            batch.refresh_from_db()
        yield ours
    finally:
        if ours:
            sql.advisory_unlock(name)
