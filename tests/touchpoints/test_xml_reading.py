"""One place of an XML document that a stranger sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.xml_reading import LARGEST, read_xml

SOAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <s:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
  <OrganizationId>00D1</OrganizationId>
  <Notification><Id>04l1</Id><sObject xsi:type="sf:Order" xmlns:sf="urn:s"><sf:Id>801</sf:Id></sObject></Notification>
  <Notification><Id>04l2</Id><sObject xsi:type="sf:Case" xmlns:sf="urn:s"><sf:Id/></sObject></Notification>
 </notifications></s:Body>
</s:Envelope>"""


def found(document: bytes, path: str) -> list[str]:
    """What stands at a path, which may end in an attribute."""
    elements, _, attribute = path.partition("@")
    return [value.decode() for value in read_xml(document, elements.split("/")[1:], attribute)]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/Envelope/Body/notifications/OrganizationId", ["00D1"]),
        ("/Envelope/Body/notifications/Notification/Id", ["04l1", "04l2"]),
        ("/Envelope/Body/notifications/Notification/sObject/Id", ["801", ""]),
        ("/Envelope/Body/notifications/Notification/sObject@type", ["sf:Order", "sf:Case"]),
        ("/Envelope/Body/notifications/Notification/sObject@none", ["", ""]),
        ("/Envelope/Body", [""]),
        ("/Body", []),
        ("/Envelope/Body/notifications/Id", []),
    ],
)
def test_a_path_of_local_names_finds_every_element(path: str, values: list[str]) -> None:
    """Prefixes are the sender's; order is the document's."""
    assert found(SOAP, path) == values


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<a><b>1</b>",
        b"<a><b>1</b></a><a/>",
        b"<a><b>1</c></a>",
        b"<a x='1' x='2'><b>1</b></a>",
        b"<a><b>\xe9</b></a>",
        b"<?xml version='1.0' encoding='latin-1'?><a><b>\xe9</b></a>",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a><b>&x;</b></a>",
        b"<!DOCTYPE a SYSTEM 'http://h/x.dtd'><a><b>1</b></a>",
        b"<!DOCTYPE a><a><b>1</b></a>",
        b"<a><b>&x;</b></a>",
        b"<a>" + b"<x>" * 64 + b"</x>" * 64 + b"<b>1</b></a>",
        b"<a><b>1</b>" + b"<x/>" * 50_000 + b"</a>",
        b"<a><b>" + b"1" * 65_537 + b"</b></a>",
        b"<a>" + b"<b>1</b>" * 1001 + b"</a>",
        b"<a><b>1</b></a>" + b" " * LARGEST,
    ],
    ids=range(17),
)
def test_what_is_malformed_or_hostile_is_not_there(document: bytes) -> None:
    """No entity is resolved, no file is opened, and nothing is read of a document that is no message."""
    assert found(document, "/a/b") == []


def test_an_ordinary_document_is_read_to_its_bounds() -> None:
    """Just below each bound it is there."""
    assert found(b"<a>" + b"<x>" * 63 + b"</x>" * 63 + b"<b> 1 </b></a>", "/a/b") == ["1"]
    assert found(b"<a><b>1</b>" + b"<x/>" * 49_998 + b"</a>", "/a/b") == ["1"]
    assert found(b"<a><b>" + b"1" * 65_536 + b"</b></a>", "/a/b") == ["1" * 65_536]
    assert found(b"<a>" + b"<b>1</b>" * 1000 + b"</a>", "/a/b") == ["1"] * 1000
    assert found(b"<a><b>1&amp;<!-- no -->2<![CDATA[<3>]]></b></a>", "/a/b") == ["1&2<3>"]


PIECES = st.sampled_from(
    [b"<a>", b"</a>", b"<b>", b"</b>", b"<b x='1'>", b"<p:b xmlns:p='u'>", b"</p:b>", b"1", b"&amp;", b"<!--", b"-->",
     b"<?x ?>", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"\xff", b"\0", b"&#0;",
     b"&#x41;", b"<?xml version='1.0' encoding='utf-7'?>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=60))
def test_no_document_makes_reading_fail(document: bytes) -> None:
    """Hostile bytes are empty, not an exception."""
    for path in ("/a/b", "/a@x", "/b"):
        assert isinstance(found(document, path), list)
