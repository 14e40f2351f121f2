"""The third floor: bulk synchronisation of pictures with a folder."""

from bcpicture.core.options import MatchOptions, PushOptions
from bcpicture.core.pairing import Download, LocalFile, PushPlan, Upload
from bcpicture.sync.kit import Clocks
from bcpicture.sync.old_engine import WIDTH, Run
from bcpicture.sync.old_folder import scan
from bcpicture.sync.old_report import Failed, Outcome, Report, exit_code
from bcpicture.sync.push_plans import PlannedPush
from bcpicture.sync.report import Ending
from bcpicture.sync.transfers import plan, pull, push
from bcpicture.sync.workspace import Workspace
from bcpicture.sync.workspace import open_workspace as open  # noqa: A004 - sync.open()

__all__ = [
    "WIDTH",
    "Clocks",
    "Download",
    "Ending",
    "Failed",
    "LocalFile",
    "MatchOptions",
    "Outcome",
    "PlannedPush",
    "PushOptions",
    "PushPlan",
    "Report",
    "Run",
    "Upload",
    "Workspace",
    "exit_code",
    "open",
    "plan",
    "pull",
    "push",
    "scan",
]
