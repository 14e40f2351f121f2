"""How the documentation is built: `sphinx-build -W -n docs docs/_build`."""

from sphinx.application import Sphinx

import bcpicture
from bcpicture.core.events import Event
from bcpicture.core.preparation import Prepare
from bcpicture.net.targets import Target
from bcpicture.resources import pictures

# What these import for type checkers alone has to lead somewhere in signatures, too.
bcpicture.BusinessCentral.__init__.__globals__.update(Event=Event)
vars(pictures).update(Prepare=Prepare, Target=Target)

project = "bcpicture"
author = "The bcpicture developers"
release = bcpicture.__version__
html_theme = "furo"
html_title = f"bcpicture {release}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"
nitpicky = True
nitpick_ignore_regex = [
    # Not ours; without their inventories the build needs no network.
    (
        r"py:.*",
        r"(aiohttp|asyncio|attrs?|collections|contextlib|datetime|decimal|enum|multidict|os|pathlib)\..*",
    ),
    (r"py:.*", r"(obstore|opentelemetry|socket|ssl|types|typing|uuid|yarl)\..*"),
    # Inner values that a public signature mentions and its text explains.
    (r"py:.*", r"bcpicture\.(core|net|sync\.[a-z_]+)\..*"),
    (r"py:.*", r"bcpicture\.resources\.(inventory|references)\..*"),
    (r"py:class", r"(Agreement|Ambiguous|IfMatch|Known|PassedOver|Sample)"),
    (r"py:class", r"(Source|Target|Unmatched)"),
    (
        r"py:.*",
        r"bcpicture\.emulator\.(blobs|identity|journal|quota|store|tenants)\..*",
    ),
    (r"py:class", r"bcpicture\..*\.[A-Z]"),  # type variables
    (r"py:class", r"(bool|bytes|dict|float|int|list|object|str|tuple(\[str)?|type)"),
    (r"py:exc", r"(RuntimeError|TimeoutError|ValueError)"),
]

autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True}
maximum_signature_line_length = 88
python_use_unqualified_type_names = True

_COLON = "\ue000"


def _hide_colons(_: Sphinx, what: str, *rest: object) -> None:
    """Napoleon takes what stands before a colon below a field for its type."""
    lines = rest[-1]
    if what in {"attribute", "data", "property"} and isinstance(lines, list):
        lines[:] = [line.replace(":", _COLON) for line in lines]


def _show_colons(_: Sphinx, __: str, *rest: object) -> None:
    lines = rest[-1]
    if isinstance(lines, list):
        lines[:] = [line.replace(_COLON, ":") for line in lines]


def setup(app: Sphinx) -> None:
    """Wrap Napoleon, which listens with priority 500."""
    app.connect("autodoc-process-docstring", _hide_colons, priority=400)
    app.connect("autodoc-process-docstring", _show_colons, priority=600)
