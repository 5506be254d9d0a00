"""`python -m tests.bench.bare`: the smallest FastAPI application that asks Redis something."""

import uvicorn
from fastapi import FastAPI

from api.__main__ import listen
from sakuga import store
from sakuga.settings import Settings

settings = Settings.load()
redis = store.connect(settings.broker_url)
app = FastAPI()


@app.get("/bare")
async def bare() -> dict[str, str]:
    """Return one value."""
    return {"value": await redis.get("bench:bare")}


uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listen(settings)])
