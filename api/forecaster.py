"""The forecaster: makes forecasts, and simulates anew only when the queue has changed."""

from collections.abc import Mapping
from time import monotonic

from api.forecast import Forecast
from api.outlook import Outlook, outlook
from api.paces import Paces
from sakuga import store
from sakuga.engine import EngineSpec
from sakuga.history import History
from sakuga.queue import Board
from sakuga.survey import Survey, Surveyor

REST = 20
"""After a look at the queue there is none for so many times as long: that is a twentieth of one processor at most."""

LONGEST_S = 1.0


class Forecaster:
    """Keeps the last outlook. The moments in it stay the same until something happens, however often one asks."""

    def __init__(self, redis: store.Client) -> None:
        self.history = History(redis)
        self._surveyor = Surveyor(redis)
        self._known: tuple[Outlook, Paces] | None = None
        self._rest_until = 0.0

    async def forecast(self, board: Board, specs: Mapping[str, EngineSpec], usual: tuple[str, str]) -> Forecast:
        """Return the forecast for a board; `usual` is the engine and preset of those who ask for none."""
        if self._known is None or monotonic() >= self._rest_until:
            began = monotonic()
            self._known = await self._look(specs)
            self._rest_until = monotonic() + min(LONGEST_S, REST * (monotonic() - began))
        last, paces = self._known
        return Forecast(board, last, paces, usual)

    async def _look(self, specs: Mapping[str, EngineSpec]) -> tuple[Outlook, Paces]:
        survey = await self._surveyor.survey()
        ended = await self.history.ended(survey.newest)
        if self._known is None:
            return self._simulated(survey, Paces(specs, ended))
        last, paces = self._known
        if paces.ended is not ended or paces.specs != specs:
            return self._simulated(survey, Paces(specs, ended))
        if survey.content != last.survey.content or survey.now >= last.stale_at:
            return self._simulated(survey, paces)
        return self._known

    @staticmethod
    def _simulated(survey: Survey, paces: Paces) -> tuple[Outlook, Paces]:
        return outlook(survey, paces), paces
