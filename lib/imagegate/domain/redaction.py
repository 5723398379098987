"""What an upstream's message must not tell a caller: credentials, which some upstreams repeat. Pure."""

import re

_REMOVED = "[removed]"
_VALUE = r"(?=[^\s\"'&,;]{0,200}[0-9*])[^\s\"'&,;]{6,}"
"""A word with a digit or asterisk in it, so that `token limit` stays. Nothing is looked for without a bound: an
upstream's text may be long."""
_PATTERNS = (
    (re.compile(r"(://)[^\s/@:]{0,200}:[^\s/@]{1,200}@"), rf"\1{_REMOVED}@"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?"), _REMOVED),
    (re.compile(rf"\b(bearer|basic|api-key)\s+{_VALUE}", re.IGNORECASE), rf"\1 {_REMOVED}"),
    (
        re.compile(
            r"((?:key|token|secret|password|signature|credential|authorization))"
            rf"(\"?'?\s*[=:]\s*\"?'?)(?!(?:bearer|basic|api-key)\s){_VALUE}",
            re.IGNORECASE,
        ),
        rf"\1\2{_REMOVED}",
    ),
    (
        re.compile(
            r"\b(?:sk|pk|rk|hf|r8|key|tgp|gsk|xai|ig|nvapi|whsec|ghp|fw)[-_](?=[\w*.-]{0,200}[0-9*])[\w*.-]{6,}"
        ),
        _REMOVED,
    ),
    (re.compile(r"\b(?:AKIA|ASIA|AIza|AQVN|ya29\.)[\w-]{8,}"), _REMOVED),
)


def without_credentials(text: str) -> str:
    """The text with `[removed]` for what looks like a key, token, signature or password."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
