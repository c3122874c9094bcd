"""Runs in lifetimes' environment: ``URL UNTIL``: the whole pipeline on the same PostgreSQL, as its users write it.

Purchases by pandas.read_sql, the package's own summary, two fits, predictions and CLV, and back by DataFrame.to_sql.
Prints each step as it ends, so that a run stopped by the clock still says how far it came.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import lifetimes
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data
from sqlalchemy import create_engine

logging.disable()
warnings.simplefilter("ignore")
HORIZON, MONTHS, MONTHLY_DISCOUNT = 365, 12, 0.008
QUERY = (
    "SELECT customer_id, purchased_on, (base_amount - base_refunded)::float8 AS amount FROM customers_purchase"
    " WHERE purchased_on < '{until}' AND base_amount > base_refunded"
)


class Pipeline:
    def __init__(self, url: str, until: str) -> None:
        self.engine = create_engine(url)
        self.until = until

    def read(self) -> None:
        self.log = pd.read_sql(QUERY.format(until=self.until), self.engine, parse_dates=["purchased_on"])

    def summary(self) -> None:
        last_day = pd.Timestamp(self.until) - pd.Timedelta(days=1)
        self.seen = summary_data_from_transaction_data(
            self.log, "customer_id", "purchased_on", "amount", observation_period_end=last_day
        )
        del self.log
        self.histories = [self.seen[name] for name in ("frequency", "recency", "T")]

    def fit(self) -> None:
        self.bg = lifetimes.BetaGeoFitter().fit(*self.histories)
        spenders = self.seen[(self.seen.frequency > 0) & (self.seen.monetary_value > 0)]
        self.gg = lifetimes.GammaGammaFitter().fit(spenders.frequency, spenders.monetary_value)

    def predict(self) -> None:
        seen = self.seen
        seen["p_alive"] = self.bg.conditional_probability_alive(*self.histories)
        seen["purchases"] = self.bg.conditional_expected_number_of_purchases_up_to_time(
            HORIZON, *self.histories
        )
        seen["spend"] = self.gg.conditional_expected_average_profit(seen.frequency, seen.monetary_value)
        seen["clv"] = self.gg.customer_lifetime_value(
            self.bg,
            *self.histories,
            seen.monetary_value,
            time=MONTHS,
            discount_rate=MONTHLY_DISCOUNT,
            freq="D",
        )

    def write(self) -> None:
        self.seen.to_sql("bench_lifetimes", self.engine, if_exists="replace", chunksize=10_000)


def main() -> None:
    pipeline = Pipeline(sys.argv[1], sys.argv[2])
    steps: list[Callable[[], Any]] = [
        pipeline.read, pipeline.summary, pipeline.fit, pipeline.predict, pipeline.write,
    ]  # fmt: skip
    for step in steps:
        begun = time.perf_counter()
        step()
        print(json.dumps({step.__name__: time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main()
