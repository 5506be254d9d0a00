"""FakeModal: Modal's control plane on loopback, for the real client, with no account and no network.

Written against the protocol that modal 1.6.4 ships as `modal_proto`. Functions run as threads of this process.
"""
# ruff: noqa: N802 - RPCs have the names that the protocol gives them

from collections.abc import Mapping

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2 as proto

from tests.fakes.modal_calls import Body, Calls

RATES = {"gpu/h100": "0.001097", "cpu": "0.0000131", "memory": "0.00000222"}


class FakeModal(Calls):
    """One workspace with one deployed app."""

    def __init__(self, deployed: Mapping[str, Body], app: str = "sakuga", rates: Mapping[str, str] = RATES) -> None:
        super().__init__(deployed, app)
        self.rates = rates

    async def ClientHello(self, _: Empty) -> proto.ClientHelloResponse:
        return proto.ClientHelloResponse()

    async def WorkspaceNameLookup(self, _: Empty) -> proto.WorkspaceNameLookupResponse:
        return proto.WorkspaceNameLookupResponse(workspace_name="studio", username="studio")

    async def WorkspaceBillingRates(self, _: proto.WorkspaceBillingRatesRequest) -> proto.WorkspaceBillingRatesResponse:
        return proto.WorkspaceBillingRatesResponse(rates=self.rates)
