"""How tests keep passwords: as the product does, without the half second that makes a stolen one hard to guess."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    iterations = 1_000  # Django's own count is above a million
