from django.db import models


class Row(models.Model):
    """A customer, as few columns as a page could show."""

    name = models.TextField()
    email = models.TextField()

    class Meta:
        managed = False
        db_table = "customers_customer"


class Note(models.Model):
    """A contact with a customer, without any rule about it."""

    customer_id = models.BigIntegerField()
    kind = models.TextField(default="note")
    direction = models.TextField(default="outbound")
    outcome = models.TextField(default="none")
    note = models.TextField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "customers_interaction"
