"""How long a plan takes, and how much memory, for a full journal where little changed.

Each run is a process of its own: it makes files, records and journal in memory, and
only then starts the clock. One file of a hundred changed, one record of a hundred
moved. A second run has ten times the records for the same files.
"""

import argparse
import json
import subprocess
import sys

from table import Figure, show

PLAN = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from bcpicture.core.dialects import V2
from bcpicture.core.ledger import Agreement, Link, Way
from bcpicture.core.matching import Matcher
from bcpicture.core.models import Item
from bcpicture.core.options import PullOptions, PushOptions
from bcpicture.core.planning import PushPlanning, PushSurvey
from bcpicture.core.pull_planning import PullPlanning
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns
from bcpicture.core.steps import LocalFile
from bcpicture.core.surveys import Answers, NoMemory, Seen, known_ids
from bcpicture.core.memory import Memory
from bcpicture.core.rows import (
    SEPARATOR, Rows, agreement_of, agreement_row, link_of, link_row
)

NOON, PAGE = datetime(2026, 5, 1, 12, tzinfo=UTC), 20_000

def status(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1]) / 1024

def digest(no, what="0"):
    return f"{no:063x}{what}"

def id_of(no):
    return f"{no:08x}-44e3-ea11-bb43-000d3a2feda1"

def number_of(no):
    return f"ART-{no:06}"

def etag(no, times=0):
    return f'W/"JzE5OzExMTExMTExMTExMTExMTExMTE{no:06}{times}MTswMDsn"'

def moved(no):
    return int(no % 100 == 1)

def item_signs(no, times=0):
    modified = NOON + timedelta(seconds=no + 1_000_000 * times)
    return ItemSigns(etag=etag(no, times), modified=modified)

def shown(no):
    return PictureSigns(
        exists=True, etag=etag(no, 9), width=400, height=300, content_type="image/jpeg"
    )

def file_signs(no, changed):
    return FileSigns(20_000 + no, 10**18 + no + changed, 10**6 + no)

def listing(way, files, changing):
    return [
        LocalFile(
            name=f"{number_of(no)}.jpg",
            signs=file_signs(no, int(changing and no % 100 == 0)),
        )
        for no in range(files)
    ]

def texts(rows):
    made = {}
    for cells in rows:
        identity, *rest = ("" if cell is None else str(cell) for cell in cells[:-1])
        made[identity] = SEPARATOR.join(rest)
    return made

def agreements(files):
    for no in range(files):
        yield agreement_row(Agreement(
            id=id_of(no), number=number_of(no), digest=digest(no), size=20_000 + no,
            item=item_signs(no), picture=shown(no),
        ))

def links(way, files):
    for no in range(files):
        yield link_row(Link(
            way=way, folder="/photos", id=id_of(no), name=f"{number_of(no)}.jpg",
            signs=file_signs(no, 0), digest=digest(no), sent=digest(no),
        ))[2:]

def journal(way, files):
    return Memory(
        agreements=Rows(texts(agreements(files)), agreement_of),
        links=Rows(texts(links(way, files)), link_of(way, "/photos")),
        rejections={},
        last_matching=PushOptions().match.fingerprint,
    )

def pages(records):
    for start in range(0, records, PAGE):
        yield [
            Item(
                id=id_of(no), number=number_of(no), etag=etag(no, moved(no)),
                last_modified=item_signs(no, moved(no)).modified,
            )
            for no in range(start, min(start + PAGE, records))
        ]

def answer(asked, answers, clock):
    for file in asked.hash:
        answers.digests[file.name] = digest(int(file.name[4:10]), "1")
    for id_ in asked.expand:
        no = int(id_[:8], 16)
        answers.seen[id_] = Seen(item=item_signs(no, moved(no)), picture=shown(no))
    for id_ in asked.read:
        answers.read[id_] = digest(int(id_[:8], 16))

def push(found, memory, records, clock):
    options = PushOptions(max_replace=None)
    with clock:
        matcher = Matcher(found, options.match, watched=known_ids(memory))
    for page in pages(records):
        with clock:
            matcher.offer(page)
    with clock:
        survey = PushSurvey(
            matching=matcher.result(), memory=memory, dialect=V2, options=options,
            scanned=2 * 10**18,
        )
        planning = PushPlanning(survey)
    return planning

def pull(found, memory, records, clock):
    options = PullOptions(max_replace=None)
    with clock:
        planning = PullPlanning(found, memory, dialect=V2, options=options)
    for page in pages(records):
        with clock:
            planning.offer(page)
    return planning

class Clock:
    spent = 0.0
    longest = 0.0

    def __enter__(self):
        self.start = time.process_time()

    def __exit__(self, *_):
        took = time.process_time() - self.start
        self.spent += took
        self.longest = max(self.longest, took)

def main(way, files, records, full):
    # Shared memory pages of what was imported are not counted.
    before = status("VmRSS")
    memory = journal(Way(way), files) if full else NoMemory()
    found, clock = listing(way, files, full), Clock()
    held = status("VmRSS") - before
    planning = {"push": push, "pull": pull}[way](found, memory, records, clock)
    answers = Answers()
    while True:
        with clock:
            asked = planning.questions(answers)
        if not asked:
            break
        answer(asked, answers, clock)
    with clock:
        plan = planning.plan(answers)
    steps = len(list(plan.steps))
    told = [clock.spent, clock.longest, status("VmHWM") - before, held, steps]
    assert not plan.brakes, plan.brakes
    print(json.dumps(told))

main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "full")
"""


def planned(way: str, files: int, records: int, journal: str) -> list[float]:
    """Seconds, the longest part of them, peak and input in MB, and steps."""
    command = [sys.executable, "-c", PLAN, way, str(files), str(records), journal]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return list(map(float, json.loads(done.stdout)))


def figures(way: str, count: int) -> list[Figure]:
    """One way, once with a full journal."""
    seconds, longest, peak, held, steps = planned(way, count, count, "full")
    return [
        Figure(name=f"{way}: steps", value=steps, limit=count / 50, sense="="),
        Figure(name=f"{way}: time", value=seconds, limit=4, sense="≤", unit=" s"),
        Figure(name=f"{way}: longest part of it", value=longest, unit=" s"),
        Figure(
            name=f"{way}: memory, with files and journal",
            value=peak,
            limit=250,
            sense="≤",
            unit=" MB",
            note=f"{held:.0f} MB of it are files and journal",
        ),
    ]


def growth(count: int) -> Figure:
    """What ten times the records cost where the files are the same."""
    few = planned("push", count // 10, count // 10, "full")
    many = planned("push", count // 10, count, "full")
    return Figure(
        name="growth by ten times the records",
        value=many[2] - few[2],
        limit=25,
        sense="≤",
        unit=" MB",
        note="a page of them is held at a time",
    )


def first(count: int) -> list[Figure]:
    """The first push of all files: everything is asked, everything becomes a step."""
    seconds, _, peak, _, steps = planned("push", count, count, "empty")
    return [
        Figure(name="first push: steps", value=steps, limit=count, sense="="),
        Figure(name="first push: time", value=seconds, unit=" s"),
        Figure(name="first push: memory", value=peak, limit=250, sense="≤", unit=" MB"),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    count = 2000 if parser.parse_args().quick else 100_000
    return show(
        f"Plans of {count} files and records",
        [
            *figures("push", count),
            *figures("pull", count),
            *first(count),
            growth(count),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
