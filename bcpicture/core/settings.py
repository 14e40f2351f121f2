"""Which Business Central, and who asks: settings as values, and what they amount to.

Where they come from, and which of them win, is decided in `layers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

import attrs

from bcpicture.core.credentials import ENTRA, BasicKey, ClientSecret, StaticToken
from bcpicture.core.endpoints import Endpoint
from bcpicture.errors import ConfigurationError

PREFIX = "BCPICTURE_"

NAMES = (
    "url",
    "tenant",
    "environment",
    "api",
    "host",
    "port",
    "instance",
    "plain_http",
    "client_id",
    "client_secret",
    "client_secret_file",
    "authority",
    "token_url",
    "scope",
    "token",
    "token_file",
    "user",
    "key",
    "key_file",
    "company",
    "ca_file",
)
"""Every setting. The variable is in capitals, after `PREFIX`."""

SECRETS = ("client_secret", "token", "key")
"""Settings that no flag and no settings file may hold, only variables and files."""

_WORDS: Mapping[str, str] = {
    "url": "address",
    "plain_http": "permission for plain http",
    "client_id": "client id",
    "token_url": "address of the token endpoint",
    "ca_file": "file of certificate authorities",
}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def variable(name: str) -> str:
    """Return the environment variable for a setting."""
    return PREFIX + name.upper()


def in_words(name: str) -> str:
    """Return a setting's name as an error says it."""
    return _WORDS.get(name) or name.replace("_", " ")


@attrs.frozen
class Setting:
    """One value, and who said it."""

    value: str = attrs.field(repr=False)
    """As text."""

    origin: str
    """Where it was found, in words for an error."""

    rank: int = 0
    """How far down it was found: 0 a flag, 1 a variable, 2 the file."""


@attrs.frozen
class Settings:
    """Everything that was set, each with its origin."""

    found: Mapping[str, Setting]
    """Settings by name; what excludes each other is decided already."""

    def get(self, name: str) -> str | None:
        """Return the value of a setting, or None."""
        setting = self.found.get(name)
        return setting.value if setting else None

    @property
    def company(self) -> str | None:
        """Name or id of the company, if one is set."""
        return self.get("company")

    @property
    def ca_file(self) -> str | None:
        """Path of a file with the authorities to trust, if one is set."""
        return self.get("ca_file")

    def secret_files(self) -> Mapping[str, Setting]:
        """Return the path to read for each secret that is in a file of its own."""
        paths = {name: self.found.get(f"{name}_file") for name in SECRETS}
        return {name: path for name, path in paths.items() if path}

    def with_secret(self, name: str, text: str, origin: str) -> Settings:
        """Return a copy that knows a secret.

        Args:
            name: One of `SECRETS`.
            text: What its file or standard input holds; a line break may end it.
            origin: Where it is from, for errors.
        """
        secret = text.removeprefix("\ufeff").strip("\r\n")
        if not secret.strip() or len(secret.splitlines()) > 1:
            raise ConfigurationError(
                f"The {in_words(name)} from {origin} is empty, or more than one line.",
                advice="Put the bare secret there, and nothing else.",
            )
        kept = {key: one for key, one in self.found.items() if key != f"{name}_file"}
        kept[name] = Setting(secret, origin)
        return Settings(MappingProxyType(kept))

    def endpoint(self) -> Endpoint:
        """Return the address of the Business Central that is meant.

        Raises:
            ConfigurationError: None is named, or a part is missing or malformed.
        """
        if url := self.get("url"):
            return Endpoint.at(
                url,
                api=self.get("api"),
                tenant=self.get("tenant"),
                plain_http=self._flag("plain_http"),
            )
        if "host" in self.found:
            return self._on_premises()
        self._require_none_of("port", "instance", "plain_http", without="host")
        if environment := self.get("environment"):
            api = self.get("api") or "v2.0"
            return Endpoint.cloud(self.get("tenant"), environment, api=api)
        return self._no_place()

    def _no_place(self) -> NoReturn:
        if "tenant" in self.found:
            raise ConfigurationError(
                "The tenant is set, the environment is not.",
                advice=f"Set {variable('environment')}, to Production for example.",
            )
        raise ConfigurationError(
            "No Business Central is named.",
            advice=(
                f"Set {variable('tenant')} and {variable('environment')} for the "
                f"online service, {variable('host')} for a server of your own, or "
                f"{variable('url')} for any address."
            ),
        )

    def credential(self) -> ClientSecret | StaticToken | BasicKey:
        """Return who asks.

        Raises:
            ConfigurationError: Nobody is named, or a part is missing.
        """
        if "token" in self.found:
            return StaticToken(self._need("token"))
        if "user" in self.found or "key" in self.found:
            return BasicKey(self._need("user"), self._need("key"))
        if "client_id" in self.found or "client_secret" in self.found:
            return self._client_secret()
        raise ConfigurationError(
            "No credential is set.",
            advice=(
                f"Set {variable('client_id')} and {variable('client_secret')}, or "
                f"{variable('token')}, or on-premises {variable('user')} and "
                f"{variable('key')}."
            ),
        )

    def _client_secret(self) -> ClientSecret:
        client_id, secret = self._need("client_id"), self._need("client_secret")
        # On-premises, the tenant is a database, which Entra knows nothing of.
        needed = "token_url" if "host" in self.found else "tenant"
        if "token_url" not in self.found:
            self._need(needed)
        return ClientSecret(
            client_id=client_id,
            client_secret=secret,
            authority=self.get("authority") or ENTRA,
            token_url=self.get("token_url"),
            scope=self.get("scope"),
        )

    def _on_premises(self) -> Endpoint:
        return Endpoint.on_premises(
            self._need("host"),
            port=self._port(),
            instance=self.get("instance") or "BC",
            tenant=self.get("tenant"),
            api=self.get("api") or "v2.0",
            plain_http=self._flag("plain_http"),
        )

    def _port(self) -> int:
        text = self.get("port") or "7048"
        if text.isascii() and text.isdecimal() and 0 < int(text) < 65536:
            return int(text)
        return self._malformed("port", "a number from 1 to 65535")

    def _flag(self, name: str) -> bool:
        text = (self.get(name) or "false").lower()
        if text in _TRUE | _FALSE:
            return text in _TRUE
        return self._malformed(name, "true or false")

    def _malformed(self, name: str, wanted: str) -> NoReturn:
        setting = self.found[name]
        raise ConfigurationError(
            f"The {in_words(name)} is {setting.value!r}, says {setting.origin}.",
            advice=f"It must be {wanted}.",
        )

    def _need(self, name: str) -> str:
        if name in self.found:
            return self.found[name].value
        hint = " (or the same with _FILE, for a file's path)" if name in SECRETS else ""
        raise ConfigurationError(
            f"The {in_words(name)} is missing.",
            advice=f"Set {variable(name)}{hint}.",
        )

    def _require_none_of(self, *names: str, without: str) -> None:
        for name in names:
            if name in self.found:
                raise ConfigurationError(
                    f"There is a {in_words(name)}, says {self.found[name].origin}, "
                    f"but no {in_words(without)}.",
                    advice=f"Set {variable(without)}, or take the other away.",
                )
