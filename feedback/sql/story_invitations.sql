-- What the customer was asked. See customers/sql/story.sql.
SELECT 'invitation' AS what, i.id, 'survey' AS kind, i.invited_at AS at,
    jsonb_build_object('survey', s.name, 'survey_id', s.id) AS facts
FROM feedback_invitation i
JOIN feedback_survey s ON s.id = i.survey_id
WHERE i.customer_id = %(customer)s AND i.invited_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
