"""The key of the embedded AWS's root user: random, one for each state folder."""

import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class RootCredentials:
    """An AWS access key, and what is derived from its secret."""

    access_key_id: str
    secret_access_key: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """Read the key from `file`; make one, readable for its owner only, when the file is not there or damaged."""
        try:
            return cls(**json.loads(file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return cls._create(file)

    @classmethod
    def _create(cls, file: Path) -> Self:
        made = cls("AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)), secrets.token_urlsafe(32))
        draft = file.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as content:
            json.dump(asdict(made), content)
        draft.replace(file)
        return made

    @property
    def door_token(self) -> str:
        """What the front door shows the embedded AWS."""
        return self.derive("front door").hex()

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that only holders of the secret can compute, others for each purpose."""
        return hmac.digest(self.secret_access_key.encode(), purpose.encode(), "sha256")
