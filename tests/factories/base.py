from typing import Any, ClassVar

from factory.django import DjangoModelFactory


class Factory(DjangoModelFactory):
    """A model factory whose rows repeat facts of a parent row (a message repeats its enrolment's campaign).

    ``_parent`` names the parent and ``_shared`` the repeated fields. Naming a shared field, as in
    ``MessageFactory(campaign=mine)``, makes a parent that has it, so that parent and child always agree.
    """

    _parent: ClassVar[str] = ""
    _shared: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> Any:
        if cls._parent and cls._parent not in params:
            given = {f"{cls._parent}__{name}": params[name] for name in cls._shared if name in params}
            params = {**given, **params}
        return super()._generate(strategy, params)
