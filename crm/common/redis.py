"""The one place that opens Redis (besides Celery's own broker connection)."""

from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property


@cache
def client() -> redis.Redis:
    """The process-wide client of REDIS_URL."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)


class _CacheClient(RedisCacheClient):
    """Django's makes a client for every question; ours keeps the one it made."""

    @cached_property
    def _only(self) -> redis.Redis:
        return super().get_client(write=True)  # type: ignore[no-any-return]

    def get_client(self, key: Any = None, *, write: bool = False) -> redis.Redis:
        return self._only


class Cache(RedisCache):
    """Django's Redis cache; a cache that is away is a cache that is empty, never an error page."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _CacheClient

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
