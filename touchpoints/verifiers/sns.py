"""Amazon SNS: messages that name the certificate they are signed by; secrets are the topics' ARNs.

docs.aws.amazon.com, Amazon SNS: verifying the signatures of messages. Without the topic every customer of Amazon's could send.
Signed are the listed fields alone, so a body whose names repeat is refused: another reader could take the other value.
The time is not compared with now: SNS may try for days; a repeat has the same `MessageId`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from touchpoints.pointer import repeats
from touchpoints.public_key import prepared, proves
from touchpoints.published_key import KeyPlace, pinned
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64
from touchpoints.verifiers.key_choice import published

HOSTS = ("sns.*.amazonaws.com", "sns.*.amazonaws.com.cn")
MOST_BYTES = 4 * 1024 * 1024  # a message is at most 256 KiB, before JSON escapes it

# A region alone, although the pinned hosts are wider: sns.s3.amazonaws.com and sns.s3-us-west-2.amazonaws.com are what a
# stranger keeps in a bucket called sns (docs.aws.amazon.com, Amazon S3: virtual hosting of buckets).
_REGION = r"https://sns\.[a-z]{2,4}(?:-[a-z]{1,16}){1,3}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?"
# One segment and no query: under the same names SNS answers calls, and repeats in the answers what it was told.
_CERTIFICATE = re.compile(_REGION + r"/[A-Za-z0-9_-]{1,128}\.pem")
_VISIT = re.compile(_REGION + r"/\?Action=ConfirmSubscription&TopicArn=[A-Za-z0-9:._-]+&Token=[0-9A-Za-z]{1,1024}")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[str, Sequence[str]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_OPTIONAL = "Subject"
_ALGORITHMS = {"1": "rsa-sha1", "2": "rsa-sha256"}

Fields = Mapping[str, Any]


def verify(reading: Reading, check: Check) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None; the keys that are wanted where the certificate is not at hand."""
    fields = _fields(reading)
    if isinstance(fields, Refused):
        return fields
    algorithm = _ALGORITHMS.get(_text(fields, "SignatureVersion"))
    text = _signed(fields)
    mark = from_base64(_text(fields, "Signature").encode("utf-8", "replace"))
    if algorithm is None or text is None or not mark:
        return Refused(code="signature_malformed" if "Signature" in fields else "signature_missing")
    if _text(fields, "TopicArn") not in {secret.strip() for secret in check.secrets}:
        return Refused(code="recipient_wrong")
    place = place_of(_text(fields, "SigningCertURL"), check.verification.key_hosts or HOSTS)
    keys = Refused(code="key_untrusted") if place is None else published(check, place)
    if isinstance(keys, Refused | Wanting):
        return keys
    material = prepared(algorithm, [text])
    return None if any(proves(algorithm, key, mark, material) for key in keys) else Refused(code="signature_wrong")


def place_of(url: str, hosts: Sequence[str] = HOSTS) -> KeyPlace | None:
    """Where a certificate of SNS stands; None for every other address."""
    return KeyPlace(kind="x509", url=url) if pinned(url, hosts) and _CERTIFICATE.fullmatch(url) else None


def confirmation(reading: Reading) -> str | None:
    """The address that confirms the subscription which a verified message asks about; None when it asks about none.

    Of `UnsubscribeConfirmation` the address would subscribe again: it is an event. "" stands for an address that is not SNS's.
    """
    fields = reading.document()
    if not isinstance(fields, dict) or fields.get("Type") != "SubscriptionConfirmation":
        return None
    url = _text(fields, "SubscribeURL")
    return url if _VISIT.fullmatch(url) and pinned(url.partition("?")[0], HOSTS) else ""


def is_arn(secret: str) -> bool:
    """Whether a secret is the ARN of a topic."""
    return re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", secret.strip()) is not None


def _fields(reading: Reading) -> Fields | Refused:
    """The message, read as selectors read it: what they cannot read has no id, and could come again and again."""
    body = reading.request.body
    found = reading.document() if len(body) <= MOST_BYTES else None
    if not isinstance(found, dict):
        return Refused(code="signature_missing")
    try:
        return Refused(code="signature_ambiguous") if repeats(body) else found
    except ValueError:
        return Refused(code="signature_malformed")


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _signed(fields: Fields) -> bytes | None:
    """Each name and its value on a line of its own, in the order of names."""
    lines = []
    for name in _SIGNED.get(_text(fields, "Type"), ()):
        value = fields.get(name)
        if value is None and name == _OPTIONAL:
            continue
        if not isinstance(value, str):
            return None
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode() or None
