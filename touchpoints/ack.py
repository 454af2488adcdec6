"""What an accepted event is answered with, by name: a hosted proxy gives the same answer, and no agent can invent another."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from touchpoints.event import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One answer."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""


def _literal(kind: bytes, body: bytes, status: int = 200) -> Ack:
    return Ack(status=status, headers=((b"content-type", kind), (b"x-content-type-options", b"nosniff")), body=body)


_SOAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>\
<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>\
</soapenv:Body></soapenv:Envelope>"""

ACKS: Mapping[str, Ack] = MappingProxyType(
    {
        "empty": Ack(),
        "accepted_202": Ack(status=202),
        "adyen": _literal(b"text/plain; charset=utf-8", b"[accepted]"),  # docs.adyen.com: handle webhook events
        "soap": _literal(b"text/xml; charset=utf-8", _SOAP),  # developer.salesforce.com: outbound messaging notifications
        "twiml": _literal(b"text/xml; charset=utf-8", b"<Response/>"),  # an empty TwiML: nothing is said or sent back
        "adobe": _literal(b"application/json", b'{"op":"success"}'),  # developer.adobe.com: commerce webhooks, response
    }
)
