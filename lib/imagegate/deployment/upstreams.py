"""The upstreams of a deployment: its providers, and the language model that expands prompts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imagegate.ports.upstreams import Expander, Http, ProviderFor
    from imagegate.providers.live_routes import LiveProviders

_SSM_ATTEMPTS = 7
"""SSM takes 40 reads a second from an account, and hundreds of functions may start at the same moment. The pauses
between the attempts, 25 s on average and 51 s at most, let all of them read. If the last attempt fails as well, the
operation waits; no provider is judged."""


class Upstreams(Shared):
    """Each property is an upstream, or a part of the way to them."""

    @cached_property
    def providers(self) -> ProviderFor:
        """The upstreams, by key."""
        return self.live_providers

    @cached_property
    def prepare(self) -> Callable[[str, str], None]:
        """Reads a provider's credentials, before it is asked. Raises SecretsUnreadable."""
        from imagegate.providers.live_routes import LiveProviders

        providers = self.providers
        return providers.prepare if isinstance(providers, LiveProviders) else lambda *_: None

    @cached_property
    def live_providers(self) -> LiveProviders:
        """The same, with the ways to them."""
        from imagegate.adapters.ssm_secrets import SsmSecrets
        from imagegate.providers.live_routes import LiveProviders

        settings, http = self.settings, self.http
        secrets = SsmSecrets(
            lambda: self._client("ssm", _SSM_ATTEMPTS),
            settings.secrets_path,
            absence_seconds=settings.key_cache_seconds,
        )
        return LiveProviders(self.route_tables, http, secrets, self.upstream_urls, http.confined)

    @cached_property
    def upstream_urls(self) -> Mapping[str, str]:
        """Base URLs in place of those of models.toml, by provider."""
        from imagegate.providers.registry import stand_in_urls

        if self.settings.stand_in_url:
            return stand_in_urls(self.settings.stand_in_url)
        region = self.settings.bedrock_region
        return {"bedrock": f"https://bedrock-runtime.{region}.amazonaws.com"} if region else {}

    @cached_property
    def picture_http(self) -> Http:
        """HTTP to finished pictures."""
        from imagegate.providers.live_routes import LiveProviders, PictureHttp

        providers = self.providers
        return PictureHttp(self.http, providers.http_of) if isinstance(providers, LiveProviders) else self.http

    @cached_property
    def expander(self) -> Expander | None:
        """The language model that expands prompts; `None` where none is set up."""
        from imagegate.providers.expanders import NAME, ChatExpander, Endpoint

        settings = self.settings
        if not settings.expands:
            return None
        url = self.upstream_urls.get(NAME, settings.expander_url)
        endpoint = Endpoint(
            protocol=settings.expander, url=url, model=settings.expander_model, secret=settings.expander_secret
        )
        # Few attempts at its secret: a request has its share of the time for the expansion, and can go without.
        return ChatExpander(endpoint, self.http, self.secrets)
