-- Gives each waiting message of a campaign its customer's invitation to the campaign's survey.
-- Parameters: campaign; survey; source (of the invitations: "campaign:<id>").
UPDATE campaigns_message message
SET invitation_id = invitation.id
FROM feedback_invitation invitation
WHERE message.campaign_id = %(campaign)s AND message.status = 'pending' AND message.invitation_id IS NULL
    AND invitation.survey_id = %(survey)s AND invitation.source = %(source)s
    AND invitation.customer_id = message.customer_id
    AND invitation.merged_from IS NULL AND message.merged_from IS NULL
