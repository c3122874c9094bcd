"""``ltv.core``: the figures the peers have, and ``night``, all that the CRM shows of a customer."""

from dataclasses import asdict

import numpy as np

from benchmarks.ltv_measure import HORIZON, MARGIN, MONTH, MONTHLY_DISCOUNT, MONTHS, Data, main
from ltv.core import bgnbd, clv, fallback, gamma_gamma, mbgnbd, summary


class Ours:
    def __init__(self, data: Data) -> None:
        self.data = data
        self.histories = data.x, data.t_x, data.T

    def rfm(self) -> object:
        log = summary.purchase_log(self.data.customers, self.data.days, self.data.amounts)
        return summary.summarise(log, self.data.until)

    def fit_transactions(self) -> object:
        self.bg = bgnbd.fit(*self.histories).params
        return self.bg

    def fit_spend(self) -> object:
        self.gg = gamma_gamma.fit(self.data.x, self.data.m).params
        return self.gg

    def predict(self) -> object:
        self.alive = bgnbd.p_alive(self.bg, *self.histories)
        self.purchases = bgnbd.expected_purchases(self.bg, *self.histories, HORIZON)
        self.spend = gamma_gamma.expected_spend(self.gg, self.data.x, self.data.m)
        return self.purchases

    def value(self) -> object:
        delta = np.log1p(MONTHLY_DISCOUNT) / MONTH
        worth = bgnbd.residual_value(self.bg, *self.histories, delta, MONTHS * MONTH)
        self.worth = worth * self.spend
        return self.worth

    def night(self) -> object:
        """Three fits held by the night's weak prior, and every prediction with its 80 % range."""
        ridge = fallback.NIGHTLY_RIDGE
        models = (module.fit(*self.histories, ridge=ridge).params for module in (bgnbd, mbgnbd))
        spend = gamma_gamma.fit(self.data.x, self.data.m, ridge=ridge).params
        return clv.predict(*models, spend, *self.histories, self.data.m, HORIZON, 90.0, MARGIN, 0.1)

    def answers(self) -> dict[str, float]:
        return {
            **{name: value for name, value in asdict(self.bg).items() if name != "alpha"},
            "p alive": float(self.alive.mean()),
            "purchases": float(self.purchases.mean()),
            "spend": float(self.spend.mean()),
            "value": float(self.worth.mean()),
        }


if __name__ == "__main__":
    main(Ours)
