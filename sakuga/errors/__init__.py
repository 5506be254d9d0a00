"""Every error that Sakuga raises on purpose.

::

    SakugaError
    ├── RequestRefused            the viewer can do something about it
    │   ├── RequestInvalid        BodyUnreadable  BodyTooLarge  MediaTypeUnsupported
    │   ├── PromptEmpty           PromptTooLong   PromptUnreadable
    │   ├── StyleUnknown          EngineUnknown   DurationOutOfRange
    │   ├── CharacterUnknown      CharacterUnavailable  CharacterNeeded  PresetUnknown
    │   ├── QueueFull             KeyReused       StreamsExhausted
    │   ├── QueueClosed           ViewerBanned    CoolingDown   ViewerBusy
    │   ├── BudgetSpent           PromptRefused   MessageRetracted
    │   ├── JobChanged            JobNotEnded     ActNotFound   ActUndone
    │   ├── BallotOpen            BallotNotOpen   BallotTooSmall  ChoiceUnknown
    │   ├── JobNotFound           JobNotWaiting   JobNotTheirs
    │   ├── RedemptionNotFound    RedemptionSpent
    │   ├── ClipNotFound          PreviewNotFound  RemixNotFound
    │   ├── RouteNotFound         MethodNotAllowed  RangeNotSatisfiable
    │   ├── HostNotAllowed        OriginNotAllowed
    │   ├── Unauthenticated       Forbidden       RateLimited     SignatureInvalid
    │   ├── KeyExposed            LinkSpent
    │   ├── WebhookRefused        WebhooksExhausted
    │   ├── WebhookNotFound       WebhookDisabled  DeliveryNotFound
    │   └── BrokerUnavailable     StudioNotReady
    ├── RenderError               the studio can do something about it
    │   ├── RenderFailed          RenderLost      RenderTimedOut
    │   ├── RenderCancelled       ClipUnplayable  FramesInvalid
    │   ├── GpuMemoryExhausted    WeightsMissing  MediaMissing  AdapterUnfit
    │   ├── RendererUnavailable   RendererNotDeployed
    │   └── RendererUnauthorised  QuotaExhausted
    ├── StudioError               the streamer can do something about it
    │   ├── SettingsInvalid       StudioFileInvalid
    │   ├── BrokerMissing         BrokerFailed    PortTaken     FolderTaken
    │   ├── StorageUnavailable    GatewayUnreachable
    │   ├── LicenceNotAccepted    SpaceExhausted  WeightsUnreachable
    │   ├── CharacterRefused      CloudFailed
    │   ├── RewardRefused         PointsUnreachable
    │   ├── RecordingUnusable
    │   ├── KeyMissing            KeyNameInvalid  KeyNotFound
    │   ├── WebhookSilent
    │   ├── ClientIdMissing       LoginUnreachable  LoginRefused  LoginLapsed
    │   └── LoginDeclined         LoginExpired    LoginMismatched  LoginDivided
    ├── GatewayRefused            a program of ours was told no
    └── Unexpected                we have to do something about it

``code`` is stable, public and the class's name in small letters. ``message`` is the sentence for an API's caller,
filled with the constructor's data; it says what to do next. The HTTP status stands in ``api/errors.py``, the chat
sentence in ``sakuga/replies.py``.
"""

from contextlib import suppress
from typing import Any

from sakuga.errors.base import SakugaError, Unexpected
from sakuga.errors.login import (
    ClientIdMissing,
    LoginDeclined,
    LoginDivided,
    LoginExpired,
    LoginLapsed,
    LoginMismatched,
    LoginRefused,
    LoginUnreachable,
)
from sakuga.errors.paid import RedemptionNotFound, RedemptionSpent
from sakuga.errors.points import PointsUnreachable, RewardRefused
from sakuga.errors.queue import (
    ActNotFound,
    ActUndone,
    BallotNotOpen,
    BallotOpen,
    BallotTooSmall,
    BudgetSpent,
    ChoiceUnknown,
    CoolingDown,
    JobChanged,
    JobNotEnded,
    JobNotTheirs,
    MessageRetracted,
    PromptRefused,
    QueueClosed,
    ViewerBanned,
    ViewerBusy,
)
from sakuga.errors.recording import RecordingUnusable
from sakuga.errors.render import (
    AdapterUnfit,
    ClipUnplayable,
    FramesInvalid,
    GpuMemoryExhausted,
    MediaMissing,
    QuotaExhausted,
    RenderCancelled,
    RendererNotDeployed,
    RenderError,
    RendererUnauthorised,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    RenderTimedOut,
    WeightsMissing,
)
from sakuga.errors.request import (
    BodyTooLarge,
    BodyUnreadable,
    BrokerUnavailable,
    CharacterNeeded,
    CharacterUnavailable,
    CharacterUnknown,
    ClipNotFound,
    DurationOutOfRange,
    EngineUnknown,
    Forbidden,
    HostNotAllowed,
    JobNotFound,
    JobNotWaiting,
    KeyExposed,
    KeyReused,
    LinkSpent,
    MediaTypeUnsupported,
    MethodNotAllowed,
    OriginNotAllowed,
    PresetUnknown,
    PreviewNotFound,
    PromptEmpty,
    PromptTooLong,
    PromptUnreadable,
    QueueFull,
    RangeNotSatisfiable,
    RateLimited,
    RemixNotFound,
    RequestInvalid,
    RequestRefused,
    RouteNotFound,
    SignatureInvalid,
    StreamsExhausted,
    StudioNotReady,
    StyleUnknown,
    Unauthenticated,
)
from sakuga.errors.studio import (
    BrokerFailed,
    BrokerMissing,
    CharacterRefused,
    CloudFailed,
    FolderTaken,
    GatewayRefused,
    GatewayUnreachable,
    KeyMissing,
    KeyNameInvalid,
    KeyNotFound,
    LicenceNotAccepted,
    PortTaken,
    SettingsInvalid,
    SpaceExhausted,
    StorageUnavailable,
    StudioError,
    StudioFileInvalid,
    WeightsUnreachable,
)
from sakuga.errors.webhook import (
    DeliveryNotFound,
    WebhookDisabled,
    WebhookNotFound,
    WebhookRefused,
    WebhooksExhausted,
    WebhookSilent,
)

__all__ = [
    "ActNotFound",
    "ActUndone",
    "AdapterUnfit",
    "BallotNotOpen",
    "BallotOpen",
    "BallotTooSmall",
    "BodyTooLarge",
    "BodyUnreadable",
    "BrokerFailed",
    "BrokerMissing",
    "BrokerUnavailable",
    "BudgetSpent",
    "CharacterNeeded",
    "CharacterRefused",
    "CharacterUnavailable",
    "CharacterUnknown",
    "ChoiceUnknown",
    "ClientIdMissing",
    "ClipNotFound",
    "ClipUnplayable",
    "CloudFailed",
    "CoolingDown",
    "DeliveryNotFound",
    "DurationOutOfRange",
    "EngineUnknown",
    "FolderTaken",
    "Forbidden",
    "FramesInvalid",
    "GatewayRefused",
    "GatewayUnreachable",
    "GpuMemoryExhausted",
    "HostNotAllowed",
    "JobChanged",
    "JobNotEnded",
    "JobNotFound",
    "JobNotTheirs",
    "JobNotWaiting",
    "KeyExposed",
    "KeyMissing",
    "KeyNameInvalid",
    "KeyNotFound",
    "KeyReused",
    "LicenceNotAccepted",
    "LinkSpent",
    "LoginDeclined",
    "LoginDivided",
    "LoginExpired",
    "LoginLapsed",
    "LoginMismatched",
    "LoginRefused",
    "LoginUnreachable",
    "MediaMissing",
    "MediaTypeUnsupported",
    "MessageRetracted",
    "MethodNotAllowed",
    "OriginNotAllowed",
    "PointsUnreachable",
    "PortTaken",
    "PresetUnknown",
    "PreviewNotFound",
    "PromptEmpty",
    "PromptRefused",
    "PromptTooLong",
    "PromptUnreadable",
    "QueueClosed",
    "QueueFull",
    "QuotaExhausted",
    "RangeNotSatisfiable",
    "RateLimited",
    "RecordingUnusable",
    "RedemptionNotFound",
    "RedemptionSpent",
    "RemixNotFound",
    "RenderCancelled",
    "RenderError",
    "RenderFailed",
    "RenderLost",
    "RenderTimedOut",
    "RendererNotDeployed",
    "RendererUnauthorised",
    "RendererUnavailable",
    "RequestInvalid",
    "RequestRefused",
    "RewardRefused",
    "RouteNotFound",
    "SakugaError",
    "SettingsInvalid",
    "SignatureInvalid",
    "SpaceExhausted",
    "StorageUnavailable",
    "StreamsExhausted",
    "StudioError",
    "StudioFileInvalid",
    "StudioNotReady",
    "StyleUnknown",
    "Unauthenticated",
    "Unexpected",
    "ViewerBanned",
    "ViewerBusy",
    "WebhookDisabled",
    "WebhookNotFound",
    "WebhookRefused",
    "WebhookSilent",
    "WebhooksExhausted",
    "WeightsMissing",
    "WeightsUnreachable",
    "_",
    "restored",
]


def restored(code: str, data: dict[str, Any]) -> SakugaError:
    """Return the error that another process of ours named by code and data; Unexpected for an unknown one."""
    found = globals().get("".join(word.capitalize() for word in code.split("_")))
    if isinstance(found, type) and issubclass(found, SakugaError) and found.code == code:
        with suppress(KeyError, TypeError, ValueError):
            return found(**data)
    return Unexpected(reference=code[:60])
