"""The third floor: pictures for the visitors of a web backend."""

from bcpicture.core.serving import Rules
from bcpicture.web.buffers import Buffers
from bcpicture.web.served import Served
from bcpicture.web.serving import refuse, serve

__all__ = ["Buffers", "Rules", "Served", "refuse", "serve"]
