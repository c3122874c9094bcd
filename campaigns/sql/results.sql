-- What customers of each arm bought within so many days of their enrolment, in base currency net of refunds.
-- Intention to treat: everybody who could have been mailed at enrolment counts in their arm, whatever happened to
-- the mail afterwards. Who could not (no address, no consent, blocked) is in neither.
-- Parameters: campaign; days (length of the window); at (now: later purchases do not count).
WITH person AS (
    SELECT enrolment.arm, enrolment.customer_id, bought.orders, bought.revenue
    FROM campaigns_enrolment enrolment
    JOIN campaigns_message message ON message.enrolment_id = enrolment.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS orders, coalesce(sum(purchase.base_amount - purchase.base_refunded), 0) AS revenue
        FROM customers_purchase purchase
        WHERE purchase.customer_id = enrolment.customer_id AND purchase.base_amount IS NOT NULL
            AND purchase.purchased_at >= enrolment.enrolled_at
            AND purchase.purchased_at < least(enrolment.enrolled_at + make_interval(days => %(days)s), %(at)s)
    ) bought
    WHERE enrolment.campaign_id = %(campaign)s AND enrolment.merged_from IS NULL
        AND message.reason NOT IN ('no_address', 'no_consent', 'withdrawn_before', 'suppressed_address')
)
SELECT
    arm,
    count(*) AS people,
    count(*) FILTER (WHERE orders > 0) AS buyers,
    coalesce(sum(orders), 0)::bigint AS orders,
    coalesce(sum(revenue), 0) AS revenue,
    coalesce(var_samp(revenue), 0)::float8 AS revenue_variance
FROM person
GROUP BY arm
