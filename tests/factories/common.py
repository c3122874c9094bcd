import factory
from factory.django import Password

from crm.common.models import User
from tests.factories.base import Factory


class UserFactory(Factory):
    """A member of staff without a password (``force_login``) and without any permission."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"staff{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@shop.example")
    password = Password(None)
    is_staff = True
