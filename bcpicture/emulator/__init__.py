"""A Business Central picture service on this machine, for demos and tests.

It is written from Microsoft's documentation and sources, and imports nothing of the
client on purpose: a misreading of the service would cancel itself out otherwise.
"""

from bcpicture.emulator.answers import Answers
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.quota import Quota
from bcpicture.emulator.seen import Seen
from bcpicture.emulator.server import Emulator
from bcpicture.emulator.threaded import ThreadedEmulator

__all__ = ["Answers", "Emulator", "Fault", "Quota", "Seen", "ThreadedEmulator"]
