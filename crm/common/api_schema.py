"""What the OpenAPI document says of keys and refusals. Imported at start-up: drf-spectacular collects it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from crm.common.api import PROBLEM

_METHODS = ("get", "post", "patch", "put", "delete")
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and meant for programs, `title` for people.",
    "properties": {
        "type": {"type": "string", "example": "urn:mini-crm:problem:duplicate_email"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "field": {"type": "string", "description": "The field that was refused, where it is one."},
        "errors": {"description": "Per field, what is wrong with it."},
    },
    "required": ["type", "title", "status", "code"],
}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "crm.common.api_access.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer crm_...`: the key of a member of staff, with their permissions.",
        }


def add_problems(result: dict[str, Any], **_rest: Any) -> dict[str, Any]:
    """Every operation may be refused, and every refusal looks the same."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    refusal = {
        "description": "Refused",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for method in _METHODS:
            if method in operations:
                operations[method]["responses"]["default"] = refusal
    return result
