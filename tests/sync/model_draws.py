"""What hypothesis draws for the model: options, faults, and how the service answers."""

from __future__ import annotations

import attrs
from hypothesis import strategies as st

from bcpicture.core.options import MatchOptions, PullOptions, PushOptions
from bcpicture.emulator import Fault
from bcpicture.emulator.answers import Answers

ITEMS = 12


@attrs.frozen
class Undo:
    """Take back a run."""

    run: str | None = None
    """None: the last one that changed something."""


which = st.integers(0, ITEMS - 1)
contents = st.sampled_from("abcdef")
FATES = ("", "", "", "stop", "cancel", "meddle", "meddle", "scribble")

CUTS = (
    *("reset_before", "reset_during", "reset_after", "reset_reply", "truncate"),
    *("bad_gzip", "malformed", "html", "close_idle", "cut_next"),
)

patches = st.builds(
    Fault,
    st.sampled_from(["apply_then_reset", "apply_then_status", "reset_reply"]),
    method=st.sampled_from(["PATCH", "DELETE"]),
    times=st.integers(1, 4),
    skip=st.integers(0, 3),
    status=st.sampled_from([500, 504, 408]),
)
statuses = st.builds(
    Fault,
    st.just("status"),
    status=st.sampled_from([401, 408, 409, 412, 429, 500, 503]),
    method=st.sampled_from([None, "GET", "PATCH", "POST", "DELETE"]),
    retry_after=st.just("0"),
    times=st.integers(1, 12),
    skip=st.integers(0, 8),
)
refusals = st.builds(
    Fault,
    st.just("status"),
    status=st.just(400),
    code=st.just("Application_DialogException"),
    method=st.just("PATCH"),
    times=st.integers(1, 3),
    skip=st.integers(0, 3),
)
cuts = st.builds(
    Fault,
    st.sampled_from(CUTS),
    method=st.sampled_from([None, "GET", "PATCH", "POST"]),
    at=st.sampled_from([1, 60]),
    times=st.integers(1, 4),
    skip=st.integers(0, 8),
)
faults = st.one_of(patches, statuses, refusals, cuts)

pushes = st.builds(
    PushOptions,
    match=st.builds(MatchOptions, pick=st.sampled_from([None, None, ()])),
    delete=st.booleans(),
    compare=st.sampled_from(["signs", "signs", "content"]),
    rebase=st.sampled_from([False] * 7 + [True]),
    backup=st.sampled_from(["always", "foreign"]),
    max_replace=st.sampled_from([None, None, 0, 2]),
    max_delete=st.sampled_from([None, None, 1]),
    require_file=st.sampled_from(["", "", "", "marker"]),
)
undos = st.just(Undo())
pulls = st.builds(
    PullOptions,
    delete=st.booleans(),
    compare=st.sampled_from(["signs", "signs", "content"]),
    rebase=st.sampled_from([False] * 7 + [True]),
    max_replace=st.sampled_from([None, None, 0, 2]),
    max_delete=st.sampled_from([None, None, 1]),
    require_file=st.sampled_from(["", "", "", "marker"]),
)
answers = st.builds(
    Answers,
    etag_covers_bytes=st.booleans(),
    stale=st.sampled_from([409, 412]),
    delete_without_if_match=st.sampled_from(["accepted", "refused"]),
    delete_of_nothing=st.sampled_from([204, 404]),
    content_length=st.booleans(),
    batch_stops=st.booleans(),
    upload_reply=st.sampled_from([204, 200]),
)
servers = st.fixed_dictionaries(
    {
        "answers": answers,
        "batch": st.booleans(),
        "batch_reversed": st.booleans(),
        "page_size": st.sampled_from([5, 20_000]),
    }
)
