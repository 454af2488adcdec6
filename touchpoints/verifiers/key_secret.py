"""The form of the secrets that verifications by public keys take. A private key is refused by a name of its own."""

import re

from touchpoints.problem import Problem, problem
from touchpoints.public_key import der_of, is_private
from touchpoints.touchpoint import Verification
from touchpoints.verifiers import ebay, jwt, sns
from touchpoints.verifiers.key_choice import is_published

_WEBHOOK_ID = re.compile(r"[A-Za-z0-9]{1,50}")  # developer.paypal.com: verify webhook signature

_FORMS = {
    "pem": "it is a public key, from -----BEGIN PUBLIC KEY----- to the line of its END",
    "spki": "it is a public key in Base64 on one line",
    "whpk": "it begins with whpk_",
    "sns": "it is the ARN of the topic, such as arn:aws:sns:eu-west-1:123456789012:orders",
    "paypal": "it is the webhook's id: letters and digits",
    "ebay": "it is the client id and the client secret with a colon between them",
    "hs": "it is at least {least} characters long",
    "any": "it is not empty",
}


def key_secret_problem(verification: Verification, secret: str, *, path: str = "") -> Problem | None:
    """What is wrong with a secret's form, or None; the secret itself is never in the words."""
    if is_private(secret):
        return problem("secret_private_key", path=path)
    form, fits = _judged(verification, secret)
    return None if fits else problem("secret_malformed", path=path, form=form)


def _judged(verification: Verification, secret: str) -> tuple[str, bool]:
    match verification.scheme:
        case "sns":
            return _FORMS["sns"], sns.is_arn(secret)
        case "paypal":
            return _FORMS["paypal"], _WEBHOOK_ID.fullmatch(secret.strip()) is not None
        case "ebay":
            return _FORMS["ebay"], ebay.is_credential(secret)
        case "jwt" if verification.key == "utf8":
            least = min(jwt.LEAST_SECRET.get(one, 0) for one in verification.algorithm.split("|"))
            return _FORMS["hs"].format(least=least), len(secret.encode("utf-8", "surrogatepass")) >= least
    if is_published(verification):
        return _FORMS["any"], bool(secret.strip())
    return _FORMS.get(verification.key, _FORMS["any"]), der_of(verification.key, secret) is not None
