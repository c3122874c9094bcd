"""The one place that opens Redis (besides Celery's own broker connection)."""

from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.core.cache.backends.redis import RedisCache


@cache
def client() -> redis.Redis:
    """The process-wide client of REDIS_URL."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)


class Cache(RedisCache):
    """Django's Redis cache; a cache that is away is a cache that is empty, never an error page."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError:
            return default

    def set(self, key: Any, value: Any, timeout: Any = 300, version: Any = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except redis.RedisError:
            return

    def delete(self, key: Any, version: Any = None) -> bool:
        try:
            return super().delete(key, version)
        except redis.RedisError:
            return False
