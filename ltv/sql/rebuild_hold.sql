-- What a part of the full pass stands on: the valuation being built by its stage's job, held until the part's commit.
-- No row: that valuation is not being built any more. Parameter: stage_id.
SELECT run.as_of, run.margin_rate, coalesce((stage.facts ->> 'audit')::boolean, false) AS audit,
    EXISTS (SELECT FROM ltv_ltvrun AS earlier
        WHERE earlier.state = 'published' AND earlier.id < run.id AND earlier.cut_at IS NOT NULL) AS remember
FROM common_jobstage AS stage
JOIN ltv_ltvrun AS run ON run.job_id = stage.run_id AND run.state = 'building'
WHERE stage.id = %(stage_id)s
FOR SHARE OF run
