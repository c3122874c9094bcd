-- What was corrected since a moment in the inputs of these customers, in order of id: how many purchases recorded since,
-- refunds recorded since, purchases whose rate came since or whose facts were corrected, records merged.
-- now_id: the customer whom one that was merged away belongs to now. A purchase recorded since is counted as that alone.
-- Parameters: customers (ids), since (instant), as_of (date; only what was bought before it).
WITH differing AS MATERIALIZED (
    SELECT unnest(%(customers)s::bigint[]) AS customer_id
), owned AS MATERIALIZED (
    SELECT p.customer_id, p.id, p.recorded_at > %(since)s AS late,
        p.purchased_on < %(as_of)s AND p.base_amount IS NOT NULL AS counted
    FROM differing JOIN customers_purchase AS p ON p.customer_id = differing.customer_id
), corrected AS MATERIALIZED (
    SELECT owned.customer_id, owned.late, owned.counted, c.kind, c.purchase_id, c.former_customer_id
    FROM owned JOIN customers_purchasecorrection AS c ON c.purchase_id = owned.id
    WHERE c.recorded_at > %(since)s
), gone AS MATERIALIZED (
    SELECT differing.customer_id, max(c.customer_id) AS now_id
    FROM differing JOIN customers_purchasecorrection AS c ON c.former_customer_id = differing.customer_id
    WHERE c.kind = 'moved' AND c.recorded_at > %(since)s
    GROUP BY differing.customer_id
), merged AS (
    SELECT customer_id, former_customer_id AS record FROM corrected WHERE kind = 'moved'
    UNION SELECT f.customer_id, f.former_id FROM differing
        JOIN customers_formerrecord AS f ON f.customer_id = differing.customer_id WHERE f.merged_at > %(since)s
    UNION SELECT f.former_id, f.former_id FROM differing
        JOIN customers_formerrecord AS f ON f.former_id = differing.customer_id WHERE f.merged_at > %(since)s
    UNION SELECT customer_id, customer_id FROM gone
), input AS (
    SELECT customer_id, 'purchases' AS cause FROM owned WHERE late AND counted
    UNION ALL SELECT owned.customer_id, 'refunds' FROM owned JOIN customers_refund AS r ON r.purchase_id = owned.id
        WHERE owned.counted AND NOT owned.late AND r.recorded_at > %(since)s
    UNION ALL SELECT DISTINCT ON (purchase_id) customer_id, 'rates' FROM corrected
        WHERE kind = 'rate' AND counted AND NOT late
    UNION ALL SELECT DISTINCT ON (purchase_id) customer_id, 'facts' FROM corrected WHERE kind = 'facts' AND NOT late
    UNION ALL SELECT customer_id, 'merged' FROM merged
)
SELECT differing.customer_id::int8 AS customer_id,
    coalesce(min(f.customer_id), min(gone.now_id), differing.customer_id)::int8 AS now_id,
    count(*) FILTER (WHERE input.cause = 'purchases')::int4 AS purchases,
    count(*) FILTER (WHERE input.cause = 'refunds')::int4 AS refunds,
    count(*) FILTER (WHERE input.cause = 'rates')::int4 AS rates,
    count(*) FILTER (WHERE input.cause = 'facts')::int4 AS facts,
    count(*) FILTER (WHERE input.cause = 'merged')::int4 AS merged
FROM differing
LEFT JOIN input ON input.customer_id = differing.customer_id
LEFT JOIN gone ON gone.customer_id = differing.customer_id
LEFT JOIN customers_formerrecord AS f ON f.former_id = differing.customer_id
GROUP BY differing.customer_id
ORDER BY differing.customer_id
