-- Take the marks out of the queue that every part of the full pass has answered. Parameter: queue (see rebuild_queue).
DELETE FROM customers_purchasechange WHERE id <@ %(queue)s::int8multirange
