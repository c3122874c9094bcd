-- A campaign's coupons by state.
-- Parameters: campaign; at (now).
SELECT
    count(*) FILTER (WHERE coupon.status <> 'reserved' AND coupon.status <> 'cancelled') AS issued,
    count(*) FILTER (WHERE coupon.status = 'redeemed') AS redeemed,
    count(*) FILTER (WHERE coupon.status = 'issued' AND coupon.expires_at <= %(at)s) AS expired
FROM campaigns_coupon coupon
JOIN campaigns_enrolment enrolment ON enrolment.id = coupon.enrolment_id
WHERE enrolment.campaign_id = %(campaign)s
