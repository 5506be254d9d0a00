"""Every error that Sakuga raises on purpose.

::

    SakugaError
    ├── RequestRefused            the viewer can do something about it
    │   ├── RequestInvalid        BodyUnreadable  BodyTooLarge  MediaTypeUnsupported
    │   ├── PromptEmpty           PromptTooLong   PromptUnreadable
    │   ├── StyleUnknown          EngineUnknown   DurationOutOfRange
    │   ├── QueueFull             KeyReused       StreamsExhausted
    │   ├── JobNotFound           JobNotWaiting   ClipNotFound  PreviewNotFound
    │   ├── RouteNotFound         MethodNotAllowed  RangeNotSatisfiable
    │   ├── HostNotAllowed        OriginNotAllowed
    │   └── BrokerUnavailable     StudioNotReady
    ├── RenderError               the studio can do something about it
    │   ├── RenderFailed          RenderLost      RenderTimedOut
    │   ├── RenderCancelled       RendererUnavailable
    │   └── ClipUnplayable
    ├── StudioError               the streamer can do something about it
    │   ├── SettingsInvalid       StudioFileInvalid
    │   ├── BrokerMissing         BrokerFailed    PortTaken     FolderTaken
    │   └── StorageUnavailable    GatewayUnreachable
    ├── GatewayRefused            a program of ours was told no
    └── Unexpected                we have to do something about it

``code`` is stable, public and the class's name in small letters. ``message`` is the sentence for an API's caller,
filled with the constructor's data; it says what to do next. The HTTP status stands in ``api/errors.py``, the chat
sentence in ``bot/replies.py``.
"""

from sakuga.errors.base import SakugaError, Unexpected
from sakuga.errors.render import (
    ClipUnplayable,
    RenderCancelled,
    RenderError,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    RenderTimedOut,
)
from sakuga.errors.request import (
    BodyTooLarge,
    BodyUnreadable,
    BrokerUnavailable,
    ClipNotFound,
    DurationOutOfRange,
    EngineUnknown,
    HostNotAllowed,
    JobNotFound,
    JobNotWaiting,
    KeyReused,
    MediaTypeUnsupported,
    MethodNotAllowed,
    OriginNotAllowed,
    PreviewNotFound,
    PromptEmpty,
    PromptTooLong,
    PromptUnreadable,
    QueueFull,
    RangeNotSatisfiable,
    RequestInvalid,
    RequestRefused,
    RouteNotFound,
    StreamsExhausted,
    StudioNotReady,
    StyleUnknown,
)
from sakuga.errors.studio import (
    BrokerFailed,
    BrokerMissing,
    FolderTaken,
    GatewayRefused,
    GatewayUnreachable,
    PortTaken,
    SettingsInvalid,
    StorageUnavailable,
    StudioError,
    StudioFileInvalid,
)

__all__ = [
    "BodyTooLarge",
    "BodyUnreadable",
    "BrokerFailed",
    "BrokerMissing",
    "BrokerUnavailable",
    "ClipNotFound",
    "ClipUnplayable",
    "DurationOutOfRange",
    "EngineUnknown",
    "FolderTaken",
    "GatewayRefused",
    "GatewayUnreachable",
    "HostNotAllowed",
    "JobNotFound",
    "JobNotWaiting",
    "KeyReused",
    "MediaTypeUnsupported",
    "MethodNotAllowed",
    "OriginNotAllowed",
    "PortTaken",
    "PreviewNotFound",
    "PromptEmpty",
    "PromptTooLong",
    "PromptUnreadable",
    "QueueFull",
    "RangeNotSatisfiable",
    "RenderCancelled",
    "RenderError",
    "RenderFailed",
    "RenderLost",
    "RenderTimedOut",
    "RendererUnavailable",
    "RequestInvalid",
    "RequestRefused",
    "RouteNotFound",
    "SakugaError",
    "SettingsInvalid",
    "StorageUnavailable",
    "StreamsExhausted",
    "StudioError",
    "StudioFileInvalid",
    "StudioNotReady",
    "StyleUnknown",
    "Unexpected",
]
