-- Invites every customer of a set once per survey and source.
-- {customers}: a query of one column, customers' ids.
-- %(survey)s id; %(source)s what asked, e.g. campaign:12; %(at)s, %(expires)s instants.
-- Touches one row per new invitation; who was invited by this source before is left alone.
INSERT INTO feedback_invitation (survey_id, customer_id, public_id, source, invited_at, expires_at)
SELECT %(survey)s, asked.id, gen_random_uuid(), %(source)s, %(at)s, %(expires)s
FROM ({customers}) AS asked (id)
ORDER BY asked.id
ON CONFLICT (survey_id, customer_id, source) WHERE merged_from IS NULL DO NOTHING
