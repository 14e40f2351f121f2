"""The third floor: bulk synchronisation of pictures with a folder."""

from bcpicture.core.pairing import Download, LocalFile, PushPlan, Upload
from bcpicture.sync.engine import WIDTH, Run
from bcpicture.sync.folder import scan
from bcpicture.sync.report import Failed, Outcome, Report, exit_code
from bcpicture.sync.transfers import plan, pull, push

__all__ = [
    "WIDTH",
    "Download",
    "Failed",
    "LocalFile",
    "Outcome",
    "PushPlan",
    "Report",
    "Run",
    "Upload",
    "exit_code",
    "plan",
    "pull",
    "push",
    "scan",
]
