"""The package pymc-marketing: the maximum of the posterior under flat priors, which is maximum likelihood.

Its default priors move the parameters by several per cent, sampling takes minutes; neither would be the same work.
"""

import logging
import warnings

import numpy as np
import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing.clv import BetaGeoModel, GammaGammaModel, rfm_summary

from benchmarks.ltv_measure import HORIZON, MONTHLY_DISCOUNT, MONTHS, Data, main

logging.disable()
warnings.simplefilter("ignore")
FLAT = {name: Prior("HalfFlat") for name in ("r", "alpha", "a", "b")}


class PymcMarketing:
    def __init__(self, data: Data) -> None:
        days = pd.to_datetime(data.days, unit="D")
        self.log = pd.DataFrame({"id": data.customers, "date": days, "amount": data.amounts})
        self.until = pd.to_datetime(data.until, unit="D")
        names = {"frequency": data.x, "recency": data.t_x, "T": data.T, "monetary_value": data.m}
        self.seen = pd.DataFrame({"customer_id": np.arange(len(data.x)), **names})

    def rfm(self) -> object:
        return rfm_summary(self.log, "id", "date", "amount", observation_period_end=self.until)

    def fit_transactions(self) -> object:
        self.bg = BetaGeoModel(model_config=FLAT)
        return self.bg.fit(data=self.seen, method="map", progressbar=False)

    def fit_spend(self) -> object:
        spenders = self.seen[(self.seen.frequency > 0) & (self.seen.monetary_value > 0)]
        self.gg = GammaGammaModel()  # its default priors are flat
        return self.gg.fit(data=spenders, method="map", progressbar=False)

    def predict(self) -> object:
        self.alive = self.bg.expected_probability_alive(self.seen)
        self.purchases = self.bg.expected_purchases(self.seen, future_t=HORIZON)
        self.spend = self.gg.expected_customer_spend(self.seen)
        return self.purchases

    def value(self) -> object:
        self.worth = self.gg.expected_customer_lifetime_value(
            self.bg, self.seen.copy(), future_t=MONTHS, discount_rate=MONTHLY_DISCOUNT, time_unit="D"
        )
        return self.worth

    def answers(self) -> dict[str, float]:
        return {
            **{name: float(self.bg.fit_result[name].mean()) for name in ("r", "a", "b")},
            "p alive": float(self.alive.mean()),
            "purchases": float(self.purchases.mean()),
            "spend": float(self.spend.mean()),
            "value": float(self.worth.mean()),
        }


if __name__ == "__main__":
    main(PymcMarketing)
