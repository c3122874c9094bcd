-- The figures of one run, for rules that are evaluated while it is being published: its rows lie in order of customer.
LEFT JOIN {partition} AS {alias} ON {alias}.run_id = {run_id} AND {belongs}
