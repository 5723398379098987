"""Stand-in for YandexART."""

from imagegate.local.upstreams.stand_in import StandIn
from imagegate.local.upstreams.yandexart.app import YandexArtStandIn
from imagegate.local.upstreams.yandexart.faults import FAULTS

STAND_INS = (
    StandIn(
        name="yandexart",
        speaks="YandexART",
        mount="/yandexart",
        base_path="/yandexart",
        calls=("POST /foundationModels/v1/imageGenerationAsync",),
        faults=FAULTS,
        proof="recordings",
        proven_by="answers in the documentation (docs/protocols/yandexart.md)",
        secrets={"YC_API_KEY": "stand-in", "YC_FOLDER_ID": "stand-in-folder"},
        build=lambda upstream: YandexArtStandIn(upstream).app(),
    ),
)
