-- What the customer answered. See customers/sql/story.sql.
SELECT 'response' AS what, r.id, 'survey' AS kind, r.submitted_at AS at,
    jsonb_build_object('survey', s.name, 'score', r.score, 'comment', r.comment) AS facts
FROM feedback_response r
JOIN feedback_survey s ON s.id = r.survey_id
WHERE r.customer_id = %(customer)s AND r.submitted_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
