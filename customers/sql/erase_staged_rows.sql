-- Delete the staged rows of imports that name a person, whatever became of them.
-- Parameters: addresses (normalised), external_ids (in the shop systems).
DELETE FROM customers_importrow
WHERE cells ->> 'email_norm' = ANY(%(addresses)s::text[]) OR lower(cells ->> 'email') = ANY(%(addresses)s::text[])
    OR cells ->> 'customer_id' = ANY(%(external_ids)s::text[])
