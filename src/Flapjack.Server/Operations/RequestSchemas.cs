using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Flapjack.Server.Operations;

/// <summary>Shows requests as the wire spells them: camelCase fields of the type inside <see cref="Optional{T}"/>, none of them required by shape.</summary>
internal sealed class RequestSchemas(DocComments comments)
{
    public static string? ReferenceId(JsonTypeInfo type)
    {
        var plain = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        return IsOptional(plain) || plain == typeof(JsonElement) || plain == typeof(Base64Field) ? null : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
    }

    /// <summary>Rewrites a record with optional fields. The exporter shows such fields as "anything", and those of a type it saw before as a pointer to it.</summary>
    public async Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (!context.JsonTypeInfo.Properties.Any(p => IsOptional(p.PropertyType))) return;
        var fields = new Dictionary<string, IOpenApiSchema>();
        foreach (var field in context.JsonTypeInfo.Properties)
        {
            if (field.AttributeProvider is not PropertyInfo property) continue;
            var inner = IsOptional(field.PropertyType) ? field.PropertyType.GetGenericArguments()[0] : field.PropertyType;
            fields[property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = await FieldAsync(inner, comments.Of(property), context, cancellationToken);
        }
        schema.Properties = fields;
        schema.Required = null;
    }

    private static async Task<OpenApiSchema> FieldAsync(Type type, string? description, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if ((Nullable.GetUnderlyingType(type) ?? type) == typeof(JsonElement)) return new() { Description = description };
        if (type == typeof(Base64Field)) return new() { Type = JsonSchemaType.String, Format = "byte", Description = description };
        var plain = await context.GetOrCreateSchemaAsync(type, context.ParameterDescription, cancellationToken);
        var field = (OpenApiSchema)plain.CreateShallowCopy();
        field.Metadata = null;
        field.Description = description;
        return field;
    }

    private static bool IsOptional(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Optional<>);
}
