"""What a deployment keeps: the ports on its table and its bucket."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.ports import AwsPorts

if TYPE_CHECKING:
    from typing import Any

    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries
    from imagegate.adapters.dynamodb_operations import DynamoDBOperations
    from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
    from imagegate.ports.messaging import Receivers
    from imagegate.ports.storage import (
        Admission,
        ApiKeys,
        Claims,
        ImageStore,
        Latencies,
        Listing,
        RequestRate,
        SigningSecret,
        UsageLedger,
    )
    from imagegate.providers.live_routes import RouteTables

_EXPECTED_SECONDS = 20.0
"""How long a job takes at a provider that no known route table has any more."""
INPUT_DAYS = 2
"""Days for which the bucket keeps the pictures that came with a request, as template.yaml says."""


class AwsStorage(AwsPorts):
    """Each property is a port."""

    @property
    def _table(self) -> tuple[Any, str]:
        return self._client("dynamodb"), self.settings.table

    @cached_property
    def store(self) -> DynamoDBOperations:
        """The operations."""
        from imagegate.adapters.dynamodb_operations import DynamoDBOperations

        return DynamoDBOperations(*self._table, self.settings.operation_days, self.clock.now)

    @cached_property
    def claims(self) -> Claims:
        """Which operations a repeated request may belong to."""
        from imagegate.adapters.dynamodb_claims import DynamoDBClaims

        return DynamoDBClaims(*self._table)

    @cached_property
    def listing(self) -> Listing:
        """The lists of operations."""
        from imagegate.adapters.dynamodb_listing import DynamoDBListing

        return DynamoDBListing(*self._table, self.clock.now)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """The API keys."""
        from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys

        return DynamoDBApiKeys(*self._table)

    @cached_property
    def usage_ledger(self) -> UsageLedger:
        """What API keys have used of their limits."""
        from imagegate.adapters.dynamodb_ledger import DynamoDBUsageLedger

        return DynamoDBUsageLedger(*self._table)

    @cached_property
    def request_rate(self) -> RequestRate:
        """How many requests a minute API keys have made."""
        from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate

        return DynamoDBRequestRate(*self._table, self.clock.now)

    @cached_property
    def signing_secret(self) -> SigningSecret | None:
        """The secret that signs links; `None` where every path is open."""
        from imagegate.adapters.dynamodb_signing_secret import DynamoDBSigningSecret

        return None if self.settings.access == "open" else DynamoDBSigningSecret(*self._table)

    @cached_property
    def latencies(self) -> Latencies:
        """How long the jobs of each provider and model have taken."""
        from imagegate.adapters.dynamodb_latencies import DynamoDBLatencies

        def expected(provider: str) -> float:
            limits = self.route_tables.entry_limits(provider)
            return limits.expected_seconds if limits else _EXPECTED_SECONDS

        return DynamoDBLatencies(*self._table, expected)

    @cached_property
    def admission(self) -> Admission:
        """Which providers may be asked at this moment."""
        from imagegate.adapters.dynamodb_admission import DynamoDBAdmission

        def per_minute(provider: str) -> int | None:
            limits = self.route_tables.entry_limits(provider)
            return limits.requests_per_minute if limits else None

        return DynamoDBAdmission(*self._table, per_minute, self.clock.now)

    @cached_property
    def pushed_routes(self) -> DynamoDBRoutes:
        """The routes files that were pushed."""
        from imagegate.adapters.dynamodb_routes import DynamoDBRoutes

        return DynamoDBRoutes(*self._table)

    @cached_property
    def route_tables(self) -> RouteTables:
        """The route tables: the one in force, and those that operations began with."""
        from imagegate.providers.live_routes import RouteTables

        return RouteTables(self.pushed_routes, self.clock, self.settings.key_cache_seconds)

    @cached_property
    def deliveries(self) -> DynamoDBDeliveries:
        """The deliveries to webhooks, and which receivers are disabled."""
        from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries

        return DynamoDBDeliveries(*self._table, self.clock.now)

    @cached_property
    def receivers(self) -> Receivers:
        """Whose turn it is to send to a receiver, and which receivers are paused."""
        from imagegate.adapters.dynamodb_receivers import DynamoDBReceivers

        return DynamoDBReceivers(*self._table, self.clock.now)

    @cached_property
    def images(self) -> ImageStore:
        """The bucket of pictures."""
        from imagegate.adapters.s3_images import S3Images, s3_client

        settings = self.settings
        days = {"images": settings.image_days, "inputs": INPUT_DAYS}
        return S3Images(lambda: s3_client(settings.region), settings.bucket, settings.presign_seconds, days)
