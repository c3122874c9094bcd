"""What everybody in a run is measured against: found once from all of them, kept with the run.

With it a range of customers can be valued apart from all others, on another host, and nobody's decile or score is
another than if they had been ranked together.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from crm.common.columns import Column
from ltv.core import scores
from ltv.core.arrays import Ints
from ltv.models import LtvRun
from ltv.services.histories import Histories


@dataclass(frozen=True)
class Scales:
    """Edges of tenths and fifths (``ltv.core.scores``), and each channel's CAC."""

    margin: list[tuple[int, int]] = field(default_factory=list)  # and the customer's id
    recency: list[int] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    revenue: list[int] = field(default_factory=list)
    cac: dict[str, int] = field(default_factory=dict)  # thousandths, by the channel's id

    @classmethod
    def of(cls, customer_id: Ints, buyers: Histories, margin: Ints, cac: dict[int, int]) -> "Scales":
        """From every buyer's history and expected margin, (n,) each."""
        return cls(
            scores.tenth_edges(margin, customer_id),
            scores.fifth_edges(buyers.until - buyers.last_day),
            scores.fifth_edges(buyers.days),
            scores.fifth_edges(buyers.revenue),
            {str(channel): cost for channel, cost in cac.items()},
        )

    @classmethod
    def of_run(cls, run: LtvRun) -> "Scales":
        """Those that a run stood on."""
        # older runs also kept what their buyers span
        return cls(**{name: found for name, found in run.scales.items() if name != "reach"})

    def as_json(self) -> dict[str, Any]:
        """What is stored on the run, read back by ``of_run``."""
        return asdict(self)

    def ranks(self, customer_id: Ints, buyers: Histories, margin: Ints) -> dict[str, Column]:
        """Decile and RFM scores of some of the buyers."""
        recency = scores.by_fifth_edges(buyers.until - buyers.last_day, self.recency)
        return {
            "clv_decile": Column(scores.by_tenth_edges(margin, customer_id, self.margin)),
            "r_score": Column(np.int16(1 + scores.FIFTHS) - recency),
            "f_score": Column(scores.by_fifth_edges(buyers.days, self.days)),
            "m_score": Column(scores.by_fifth_edges(buyers.revenue, self.revenue)),
        }

    def channel_cac(self, channel_id: Ints) -> Column:
        """What winning each of these customers cost (n,); NULL where that is not known."""
        channels, place = np.unique(channel_id, return_inverse=True)
        known = [self.cac.get(str(channel)) for channel in channels.tolist()]
        values = np.array([cost or 0 for cost in known], dtype=np.int64)
        null = np.array([cost is None for cost in known], dtype=bool)
        return Column(values, null).at(place)
