"""``bcpicture doctor``: does the connection work, and if not, what to do."""

from __future__ import annotations

from bcpicture.cli.codes import Exit, code_of
from bcpicture.cli.connecting import connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import NO_FLAGS, PLAIN, Company, Connection, Output
from bcpicture.cli.running import run
from bcpicture.core.findings import Finding
from bcpicture.core.settings import Settings
from bcpicture.resources.examination import Examination

_VERDICT_WIDTH = 8
_CHECK_WIDTH = 13


def doctor(
    *,
    company: Company = None,
    connection: Connection = NO_FLAGS,
    output: Output = PLAIN,
) -> int:
    """Check the connection, step by step, without changing anything.

    Server, token, access, API versions, clock, round trip, company, and whether
    pictures may be read and written. Each failure comes with its remedy.
    """
    console = Console(output)

    async def work(settings: Settings) -> int:
        code = Exit.DONE
        async with connect(settings) as bc:
            async for finding in Examination(bc, settings.company).findings():
                _tell(console, finding)
                if finding.error is not None and code is Exit.DONE:
                    code = code_of(finding.error)
        return code

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)


def _tell(console: Console, finding: Finding) -> None:
    console.emit(
        check=finding.check,
        verdict=finding.verdict.value,
        what=finding.what,
        remedy=finding.remedy or None,
    )
    verdict = f"{finding.verdict.value:<{_VERDICT_WIDTH}}"
    console.say(f"{verdict} {finding.check:<{_CHECK_WIDTH}} {finding.what}")
    if finding.remedy:
        indent = " " * (_VERDICT_WIDTH + _CHECK_WIDTH + 2)
        console.say(f"{indent}{finding.remedy}")
