"""What is kept warm, and until when: a PC that dies in a show leaves no GPU behind that runs on and on."""

import logging

import modal
from modal.exception import NotFoundError
from pydantic import ValidationError

from sakuga.engine import MODAL_KEPT, Kept

log = logging.getLogger(__name__)

BY_HAND_S = 8 * 3600
"""Seconds that a GPU stays which somebody warmed by a command, since nobody renews that."""


async def write_down(client: modal.Client, kept: Kept) -> None:
    """Tell the app what is kept from now on. It has to be known before anything is kept."""
    found = modal.Dict.from_name(MODAL_KEPT, create_if_missing=True, client=client)
    await found.put.aio(kept.key, kept.model_dump())


def let_go(ledger: modal.Dict, now: float) -> int:
    """Keep no longer what nobody has renewed by `now`, in seconds since 1970, and return how many pools that were.

    One that Modal does not let go of now is tried again the next time.
    """
    gone = 0
    for key, entry in list(ledger.items()):
        try:
            kept = Kept.model_validate(entry)
        except ValidationError:
            ledger.pop(key, None)
            continue
        if kept.until > now:
            continue
        try:
            _cool(kept)
        except Exception as error:  # noqa: BLE001 - the others have to be let go of all the same
            log.warning("pool.kept pool=%s reason=%s", key, type(error).__name__)
            continue
        ledger.pop(key, None)
        log.info("pool.let_go pool=%s", key)
        gone += 1
    return gone


def _cool(kept: Kept) -> None:
    found = modal.Cls.from_name(kept.app, kept.class_name)
    pool = (found.with_options(gpu=kept.gpu) if kept.gpu else found)()
    try:
        pool.render.autoscaler.update(min_containers=0)
    except NotFoundError:  # the app was taken down, and its containers with it
        log.info("pool.gone pool=%s", kept.key)
