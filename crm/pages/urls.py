"""The addresses of the staff's pages, all under /admin/ and before the admin's own."""

from django.urls import path

from crm.pages import (
    campaign_form,
    campaigns,
    cases,
    customer,
    customer_form,
    customers,
    feedback,
    nights,
    offers,
    outbox,
    segments,
    settings,
    today,
    value,
)

app_name = "crm"
urlpatterns = [
    path("follow-ups/<int:pk>/close/", today.close_follow_up, name="follow_up_close"),
    # customers
    path("customers/", customers.customers, name="customers"),
    path("customers/new/", customer_form.new, name="customer_new"),
    path("customers/<int:pk>/", customer.customer, name="customer"),
    path("customers/<int:pk>/edit/", customer_form.edit, name="customer_edit"),
    path("customers/<int:pk>/log/", customer.log, name="customer_log"),
    path("customers/<int:pk>/steps/<int:step>/close/", customer.close_step, name="customer_step"),
    path("customers/<int:pk>/consent/<slug:purpose>/", customer.state_consent, name="consent"),
    path("customers/<int:pk>/segments/<int:segment>/", customer.why, name="why"),
    # segments
    path("segments/", segments.segments, name="segments"),
    path("segments/new/", segments.new, name="segment_new"),
    path("segments/preview/", segments.preview, name="segment_preview"),
    path("segments/<int:pk>/", segments.segment, name="segment"),
    path("segments/<int:pk>/edit/", segments.edit, name="segment_edit"),
    path("segments/<int:pk>/archive/", segments.archive, name="segment_archive"),
    # value and the night
    path("value/", value.value, name="value"),
    path("nights/", nights.nights, name="nights"),
    path("nights/recalculate/", nights.recalculate, name="recalculate"),
    path("nights/<int:pk>/progress/", nights.progress, name="night_progress"),
    # campaigns
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("campaigns/new/", campaign_form.new, name="campaign_new"),
    path("campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<int:pk>/states/", campaigns.campaign_states, name="campaign_states"),
    path("campaigns/<int:pk>/edit/", campaign_form.edit, name="campaign_edit"),
    path("campaigns/<int:pk>/preview/", campaign_form.preview, name="campaign_preview"),
    path("campaigns/<int:pk>/launch/", campaigns.launch, name="campaign_launch"),
    path("campaigns/<int:pk>/pause/", campaigns.pause, name="campaign_pause"),
    path("campaigns/<int:pk>/resume/", campaigns.resume, name="campaign_resume"),
    path("campaigns/<int:pk>/stop/", campaigns.stop, name="campaign_stop"),
    path("campaigns/<int:pk>/test/", campaigns.send_test, name="campaign_test"),
    path("campaigns/messages/<int:pk>/resend/", campaigns.resend, name="message_resend"),
    path("offers/", offers.offers, name="offers"),
    path("offers/redeem/", offers.redeem, name="coupon_redeem"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/", outbox.mail, name="mail"),
    path("suppressions/", outbox.suppressions, name="suppressions"),
    # feedback
    path("surveys/", feedback.surveys, name="surveys"),
    path("surveys/new/", feedback.new_survey, name="survey_new"),
    path("surveys/<int:pk>/", feedback.survey, name="survey"),
    path("surveys/<int:pk>/move/", feedback.move_survey, name="survey_move"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<int:pk>/", cases.case, name="case"),
    path("cases/<int:pk>/move/", cases.move, name="case_move"),
    path("cases/<int:pk>/tag/", cases.tag, name="case_tag"),
    path("themes/", feedback.themes, name="themes"),
    path("themes/<int:pk>/", feedback.theme, name="theme"),
    path("actions/<int:pk>/move/", feedback.move_action, name="action_move"),
    # running the shop
    path("records/", settings.records, name="records"),
    path("settings/", settings.settings, name="settings"),
    path("settings/rates/", settings.rates, name="rates"),
    path("settings/api-keys/", settings.api_keys, name="api_keys"),
    path("settings/api-keys/<int:pk>/revoke/", settings.revoke_key, name="api_key_revoke"),
    path("preferences/", settings.preferences, name="preferences"),
    path("language/", settings.language, name="language"),
]
