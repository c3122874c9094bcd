-- The valuation being built that a part of the stage stands on, held until the part's commit, and how many parts there
-- are. No row: it is not being built any more. Parameter: stage_id.
SELECT run.id AS run_id, (SELECT count(*) FROM common_jobpart AS part WHERE part.stage_id = stage.id) AS parts
FROM common_jobstage AS stage
JOIN ltv_ltvrun AS run ON run.job_id = stage.run_id AND run.state = 'building'
WHERE stage.id = %(stage_id)s
FOR SHARE OF run
