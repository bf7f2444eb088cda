"""How far each callout under way has come, for people who look on. Not here: the way (engine/callout.py)."""

from ..values.evidence import Stage
from ..values.query import Query
from ..values.record import Record


class UnderWay(Record, frozen=True):
    """One callout, as it stands."""

    query: Query  # the first that asked
    domain: str
    since_at: float  # Unix seconds
    host: str = ""  # "": it looks for one
    ip: str = ""
    stage: Stage | None = Stage.ROUTE  # what it waits for there; None: for its turn
