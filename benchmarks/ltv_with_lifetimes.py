"""The package lifetimes, without a penalty: maximum likelihood as published."""

import logging

import lifetimes
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

from benchmarks.ltv_measure import HORIZON, MONTHLY_DISCOUNT, MONTHS, Data, main

logging.disable()


class Lifetimes:
    def __init__(self, data: Data) -> None:
        self.log = pd.DataFrame(
            {
                "id": data.customers,
                "date": pd.to_datetime(data.days, unit="D"),
                "amount": data.amounts,
            }
        )
        self.until = pd.to_datetime(data.until, unit="D")
        names = {"frequency": data.x, "recency": data.t_x, "T": data.T, "spend": data.m}
        self.seen = pd.DataFrame(names)
        self.histories = [self.seen[name] for name in ("frequency", "recency", "T")]

    def rfm(self) -> object:
        return summary_data_from_transaction_data(
            self.log, "id", "date", "amount", observation_period_end=self.until
        )

    def fit_transactions(self) -> object:
        self.bg = lifetimes.BetaGeoFitter().fit(*self.histories)
        return self.bg

    def fit_spend(self) -> object:
        spenders = self.seen[(self.seen.frequency > 0) & (self.seen.spend > 0)]
        self.gg = lifetimes.GammaGammaFitter().fit(spenders.frequency, spenders.spend)
        return self.gg

    def predict(self) -> object:
        self.alive = self.bg.conditional_probability_alive(*self.histories)
        self.purchases = self.bg.conditional_expected_number_of_purchases_up_to_time(HORIZON, *self.histories)
        self.spend = self.gg.conditional_expected_average_profit(self.seen.frequency, self.seen.spend)
        return self.purchases

    def value(self) -> object:
        self.worth = self.gg.customer_lifetime_value(
            self.bg, *self.histories, self.seen.spend, time=MONTHS, discount_rate=MONTHLY_DISCOUNT, freq="D"
        )
        return self.worth

    def answers(self) -> dict[str, float]:
        return {
            **{name: float(self.bg.params_[name]) for name in ("r", "a", "b")},
            "p alive": float(self.alive.mean()),
            "purchases": float(self.purchases.mean()),
            "spend": float(self.spend.mean()),
            "value": float(self.worth.mean()),
        }


if __name__ == "__main__":
    main(Lifetimes)
