"""The playlist: what comes on air next. A pure function of what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sakuga.gateway import ClipDocument, StageDocument
from sakuga.stage import WITH_CLIP, StageState

EYECATCH_S = 2.0  # the card around a clip, before and after it
STALE = timedelta(minutes=10)  # a clip that waited this long for its turn goes to the gallery instead


@dataclass(frozen=True, slots=True)
class Cue:
    """What to put on air; `seconds` is how long, None until something else comes."""

    state: StageState
    clip_id: str | None = None
    seconds: float | None = None


def next_cue(stage: StageDocument, clips: Sequence[ClipDocument], now: datetime) -> Cue:
    """Return what should be on air now. `clips` are newest first; `now` is the server's time.

    Each new clip is shown once, in order of completion, to its end. Else the desk is shown while somebody's job is
    being drawn, else the gallery goes round.
    """
    on_air = stage.clip.clip_id if stage.clip else None
    as_it_is = Cue(stage.state, on_air if stage.state in WITH_CLIP else None)
    playing = stage.state in WITH_CLIP and on_air is not None and stage.until is not None and now < stage.until
    if stage.state is StageState.DUMPED or (playing and stage.state is StageState.RESULT):
        return as_it_is
    if new := _not_yet_shown(stage, clips, now):
        return _with_clip(StageState.RESULT, new[-1])
    if stage.cooking:
        return Cue(StageState.COOKING)
    if playing:
        return as_it_is
    if not clips:
        return Cue(StageState.IDLE)
    ids = [clip.clip_id for clip in clips]
    place = ids.index(on_air) + 1 if on_air in ids else 0
    return _with_clip(StageState.GALLERY, clips[place % len(clips)])


def _not_yet_shown(stage: StageDocument, clips: Sequence[ClipDocument], now: datetime) -> list[ClipDocument]:
    """Return the clips that are newer than the last result, newest first."""
    new: list[ClipDocument] = []
    for clip in clips:
        if clip.clip_id == stage.last_result or now - clip.finished_at > STALE:
            break
        new.append(clip)
    return new


def _with_clip(state: StageState, clip: ClipDocument) -> Cue:
    return Cue(state, clip.clip_id, clip.duration + EYECATCH_S)
