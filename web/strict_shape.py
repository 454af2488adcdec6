"""The description of what programs send: a key that would be refused is not allowed there either."""

from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin  # what it says is kept, and one word added
from litestar.openapi.spec import Schema
from litestar.typing import FieldDefinition


class StrictShapes(StructSchemaPlugin):
    """For the structs that forbid unknown fields, which Litestar leaves unsaid."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """See StructSchemaPlugin."""
        return super().is_plugin_supported_field(field_definition) and bool(
            field_definition.annotation.__struct_config__.forbid_unknown_fields
        )

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: object) -> Schema:
        """See StructSchemaPlugin."""
        schema = super().to_openapi_schema(field_definition, schema_creator)  # type: ignore[arg-type]  # a class of its own inside
        schema.additional_properties = False
        return schema
