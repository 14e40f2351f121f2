"""The third floor: bulk synchronisation of pictures with a folder."""

from bcpicture.core.brakes import Brake, BrakeKind, Limit
from bcpicture.core.mapping import MapRow, parse_map
from bcpicture.core.options import MatchOptions, PullOptions, PushOptions, VerifyOptions
from bcpicture.core.plans import PullPlan, PushPlan, UndoPlan
from bcpicture.core.report import Ending, Failed, Outcome, Report, exit_code
from bcpicture.core.steps import (
    Adopt,
    Compare,
    Delete,
    Download,
    Keep,
    LocalFile,
    Remove,
    Replaces,
    Restore,
    Upload,
    Why,
)
from bcpicture.sync.engine import WIDTH, Run
from bcpicture.sync.kit import Clocks
from bcpicture.sync.pull_plans import PlannedPull
from bcpicture.sync.push_plans import PlannedPush
from bcpicture.sync.report_files import ReportFile
from bcpicture.sync.status import Status
from bcpicture.sync.status import status_of as status
from bcpicture.sync.undo_plans import PlannedUndo
from bcpicture.sync.workspace import Workspace
from bcpicture.sync.workspace import open_workspace as open  # noqa: A004 - sync.open()

__all__ = [
    "WIDTH",
    "Adopt",
    "Brake",
    "BrakeKind",
    "Clocks",
    "Compare",
    "Delete",
    "Download",
    "Ending",
    "Failed",
    "Keep",
    "Limit",
    "LocalFile",
    "MapRow",
    "MatchOptions",
    "Outcome",
    "PlannedPull",
    "PlannedPush",
    "PlannedUndo",
    "PullOptions",
    "PullPlan",
    "PushOptions",
    "PushPlan",
    "Remove",
    "Replaces",
    "Report",
    "ReportFile",
    "Restore",
    "Run",
    "Status",
    "UndoPlan",
    "Upload",
    "VerifyOptions",
    "Why",
    "Workspace",
    "exit_code",
    "open",
    "parse_map",
    "status",
]
