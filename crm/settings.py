"""Every setting, read once from the environment. Importing this module starts nothing.

``manage.py`` and the test plugin call ``crm.embedded.ensure()`` first, which sets DATABASE_URL and REDIS_URL
when they are not given and creates ``var/secret_key``.
"""

from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL
from environs import Env, validate

from crm.navigation import UNFOLD  # noqa: F401  (Unfold reads the name from here)

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.path("CRM_VAR_DIR", BASE_DIR / "var")

# -- who we are ------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
_secret_file = VAR_DIR / "secret_key"
SECRET_KEY = env.str("SECRET_KEY", "") or (_secret_file.read_text().strip() if _secret_file.is_file() else "")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # who may read /metrics; empty: nobody
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
# Links in mails are built from this, never from a request's Host header.
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{env.int('PORT', 8000)}").rstrip("/")
HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crm.common",
    "customers",
    "feedback",
    "ltv",
    "campaigns",
    "crm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.common.middleware.StaffPreferencesMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "crm" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- PostgreSQL and Valkey/Redis ---------------------------------------------------------------------------
DATABASES = {"default": env.dj_db_url("DATABASE_URL", "postgresql://localhost/crm")}
DATABASES["default"].update(
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", 60),
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        # A web request never waits longer; the night and imports raise it for their own transactions.
        "options": "-c statement_timeout=15s -c lock_timeout=3s -c idle_in_transaction_session_timeout=60s",
        "prepare_threshold": 0,  # for what crm.common.sql.prepared asks; all else sends its values as text
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
CACHES = {"default": {"BACKEND": "crm.common.redis.Cache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# -- Celery: PostgreSQL is the queue, this is the bell -----------------------------------------------------
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix:")
    else REDIS_URL
)
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_TASK_SOFT_TIME_LIMIT = 1500
CELERY_TASK_TIME_LIMIT = 1700
JOB_NICE = env.int("JOB_NICE", 15, validate=validate.Range(min=0, max=19))  # crm.common.priority
CELERY_VISIBILITY_TIMEOUT = 1800  # longer than any task may run, or Redis delivers it a second time
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# -- mail ----------------------------------------------------------------------------------------------------
# smtp://user:password@host:port or smtps://...; ``bin/up`` points it at the embedded mailbox when unset.
SMTP_URL = env.str("SMTP_URL", "")
SMTP_TIMEOUT = env.int("SMTP_TIMEOUT", 30)
# How long a worker may hold messages before they count as left behind; longer than one mail may take.
CAMPAIGN_LEASE_SECONDS = env.float("CAMPAIGN_LEASE_SECONDS", 60.0)

# -- people, languages, time -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "common.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "crm.common.backend.StaffBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours; the lock lifts by itself
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "crm/locked_out.html"
AXES_IPWARE_PROXY_COUNT = env.int("PROXY_COUNT", 0)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어"), ("ja", "日本語")]
LOCALE_PATHS = [VAR_DIR / "locale"]  # compiled from crm/locale at every start (crm.catalogues)
FORMAT_MODULE_PATH = "crm.formats"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# -- static files --------------------------------------------------------------------------------------------
STATIC_URL = "static/"
# Without it the pages' files come from where the apps keep them, and no folder of collected ones is looked for.
_collected = env.bool("STATIC_MANIFEST", False)
STATIC_ROOT = VAR_DIR / "static" if _collected else None
STATICFILES_DIRS = [BASE_DIR / "crm" / "static"]
_manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _manifest if _collected else _plain},
}
MEDIA_ROOT = VAR_DIR / "uploads"
WHITENOISE_USE_FINDERS = not _collected

# -- security ------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("PROXY_COUNT", 0) else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # Unfold's Alpine evaluates its attribute expressions; inline scripts stay forbidden.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

# -- API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm.common.api_access.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crm.common.api_access.HasModelPermission"],
    "DEFAULT_PAGINATION_CLASS": "crm.common.api_access.CursorPages",
    "PAGE_SIZE": 50,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["crm.common.api_json.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "crm.common.api.problem_json",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "1200/min"},
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mini CRM API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": f"/{STATIC_URL}crm/mark.svg",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAdminUser"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "crm.common.api_schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "InteractionKind": "customers.choices.InteractionKind",
        "ConsentStatus": "customers.choices.ConsentStatus",
        "SegmentStatus": "customers.choices.SegmentStatus",
        "CampaignKind": "campaigns.choices.CampaignKind",
        "CampaignStatus": "campaigns.choices.CampaignStatus",
        "CouponStatus": "campaigns.choices.CouponStatus",
        "OfferKind": "campaigns.choices.OfferKind",
    },
}

# -- logs ----------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "celery.redirected": {"level": "WARNING"},
        # every bell that rang and found nothing to do
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
