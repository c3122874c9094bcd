"""One run worked out in numpy: the model fitted, every customer's row written into the run's own table."""

from functools import cached_property

from crm.common.models import Shop
from ltv.choices import ModelStep
from ltv.core.arrays import Ints
from ltv.models import LtvRun
from ltv.services import acquisition, changes, figures, histories, predictions, publishing


class Valuation:
    """What a run reads it reads once, unless the process died between its stages."""

    def __init__(self, run: LtvRun, shop: Shop, previous: LtvRun | None) -> None:
        self.run, self.shop, self.previous = run, shop, previous

    @cached_property
    def base(self) -> figures.Base:
        return figures.Base.of(histories.read(), self.run)

    def fit(self) -> int:
        """Find the parameters the run stands on; returns how many buyers they were fitted to."""
        fitted = predictions.fit(self.base.buyers, self.previous)
        run, previous = self.run, self.previous
        run.step, run.parameters = fitted.step, fitted.as_json()
        if fitted.step == ModelStep.FORMULA and previous and previous.parameters:
            run.parameters = (
                previous.parameters
            )  # kept, so that a bad night does not forget the last good fit
        run.step_reason = "; ".join(fitted.reasons)[:300]
        run.save(update_fields=["step", "parameters", "step_reason"])
        return len(self.base.buyers)

    def build(self) -> int:
        """Write every customer's row, and the totals of them all; returns how many. Readers see nothing yet."""
        run, base = self.run, self.base
        fitted = predictions.Fitted.of_run(run)
        ahead = fitted.forecast(base.buyers)
        margin = figures.expected_margin(run, base.buyers, ahead)
        why = self._explain(fitted, margin)
        cac = acquisition.channel_cac(run, self.shop, base)
        found = figures.Figures(run, base, ahead, margin, why, cac)
        rows = publishing.build(run, found.blocks())
        run.figures = found.totals()
        run.save(update_fields=["figures", "compared_with"])
        publishing.attach(run)
        return rows

    def _explain(self, fitted: predictions.Fitted, margin: Ints) -> changes.Changes | None:
        previous = self.previous if self.previous and publishing.has_table(self.previous) else None
        base = self.base
        today = changes.Today(base.customer_id, base.bought, base.buyers, base.spread(margin))
        table = publishing.table_name(previous.pk) if previous else ""
        found = changes.explain(self.run, previous, table, fitted, today)
        self.run.compared_with = previous if found else None
        return found
