"""The line for two flights that are only to be aligned: open, check, align, report."""

from pathlib import Path
from typing import Any

from change.export.alignment_folder import require_free_place, write_alignment
from change.facts import pair_facts
from change.job import (
    Job,
    Say,
    job_inputs,
    job_options,
    open_checked,
    paired,
    saved_field,
)
from change.result import AlignmentResult
from survey.blocks import Progress
from survey.runs import hash_inputs, start_run
from survey.settings import Settings
from survey.words import _

__all__ = ["align_job"]


def align_job(
    job: Job,
    settings: Settings,
    *,
    output: Path | None,
    image: bool = False,
    say: Say,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Align two flights, write what is asked for, and return the record.

    Parameters
    ----------
    job
        The flights; permits and other layers are not looked at.
    settings
        How.
    output
        ``FILE.tif`` for the moved picture, a folder for the report, None to write nothing.
    image
        Whether the folder is to hold the moved picture too.
    say
        Takes warnings and the verdict as they become known.
    progress
        Told after every block.

    Raises
    ------
    InputError
        Something that came in cannot be used, or the alignment was refused and nobody accepted it.
    OutputError
        The place cannot be written.
    """
    if output is not None:
        require_free_place(output, image=image)
    before, after, findings = open_checked(job, say)
    saved = saved_field(job)
    run = start_run(hash_inputs(job_inputs(job)), settings, job_options(job))
    with paired((before, after), saved, run, settings, say=say, progress=progress) as done:
        pair, _executor = done
        facts = pair_facts(pair, findings, saved)
        result = AlignmentResult(
            run=run, pair=pair, findings=tuple(findings), saved=saved, facts=facts
        )
        # The pictures of the report are drawn from the copies too.
        return _deliver(result, output, image=image, say=say)


def _deliver(
    result: AlignmentResult, output: Path | None, *, image: bool, say: Say
) -> dict[str, Any]:
    """Write what is asked for, say where it lies, and return the record."""
    if output is None:
        return result.run.record(outputs=[], **result.facts)
    record = write_alignment(result, output, image=image)
    files = [output / name for name in record["outputs"]] if output.is_dir() else [output]
    say(_("written: {files}").format(files=", ".join(map(str, files))))
    return record
