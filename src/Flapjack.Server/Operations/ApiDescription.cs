using System.Globalization;
using System.Reflection;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Flapjack.Server.Operations;

/// <summary>How <c>openapi/v1.json</c> is made from the routes. The server serves the committed file; only the test that writes and compares it registers this.</summary>
internal static class ApiDescription
{
    public const string Document = "v1";
    private const string Scheme = "bearer", Error = "Error";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        var comments = new DocComments();
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.CreateSchemaReferenceId = RequestSchemas.ReferenceId;
        options.AddSchemaTransformer(new RequestSchemas(comments).TransformAsync);
        options.AddOperationTransformer((operation, context, _) =>
        {
            Describe(operation, context);
            Summarise(operation, context, comments);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer(FrameAsync);
    });

    /// <summary>The first sentence of the handler's doc comment is the summary; more sentences make a description.</summary>
    private static void Summarise(OpenApiOperation operation, OpenApiOperationTransformerContext context, DocComments comments)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>().LastOrDefault() is not { } handler || comments.Of(handler) is not { } text) return;
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        operation.Summary = end < 0 ? text.TrimEnd('.') : text[..end];
        // The failures below describe every other path.
        var failures = context.Description.RelativePath?.StartsWith("v1/", StringComparison.Ordinal) == true ? " Failures have OpenAI's form: an object `error` with `message`, `type`, `param` and `code`." : "";
        operation.Description = end < 0 && failures.Length == 0 ? null : text + failures;
    }

    private static Task FrameAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = "Flapjack API", Version = RequestIds.Version,
            Description = "Fields of requests are camelCase (snake_case is accepted too), fields of responses snake_case. Every failure is an Error object.",
        };
        document.Servers = [];
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key (fj_live_…) or a user's access token." },
        };
        document.AddComponent(Error, ErrorSchema());
        document.Components.Responses ??= new Dictionary<string, IOpenApiResponse>();
        foreach (var (status, text) in Failures)
        {
            document.Components.Responses[ErrorName(status)] = new OpenApiResponse
            {
                Description = text,
                Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(Error, document) } },
            };
        }
        return Task.CompletedTask;
    }

    private static void Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var rule = metadata.OfType<AccessRule>().LastOrDefault();
        operation.Extensions ??= new Dictionary<string, IOpenApiExtension>();
        operation.Extensions["x-origin"] = new JsonNodeExtension(metadata.OfType<Origin>().LastOrDefault()?.Mark ?? "ext");
        if (rule is { Anonymous: false })
        {
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
            operation.Extensions["x-callers"] = new JsonNodeExtension(rule.UsersOnly ? "users" : metadata.OfType<DemoAnswer>().Any() ? "keys, users, demo key" : "keys, users");
            if (rule.Scope is { } scope) operation.Extensions["x-scope"] = new JsonNodeExtension(scope);
            if (rule.Role != Role.Viewer) operation.Extensions["x-role"] = new JsonNodeExtension(rule.Role.ToString().ToLowerInvariant());
        }
        // Bodies are read by the endpoint, which takes JSON by any of its names; clients are told the plain one.
        if (operation.RequestBody?.Content is { } content && content.Remove("*/*", out var body) && !content.ContainsKey("multipart/form-data")) content.TryAdd("application/json", body);
        operation.Responses ??= [];
        foreach (var status in FailuresOf(context, rule, metadata)) operation.Responses.TryAdd(Text(status), new OpenApiResponseReference(ErrorName(status), context.Document));
    }

    private static IEnumerable<int> FailuresOf(OpenApiOperationTransformerContext context, AccessRule? rule, IList<object> metadata)
    {
        if (rule is { Anonymous: false }) foreach (var status in (int[])[401, 403, 429, 500]) yield return status;
        if (context.Description.ParameterDescriptions.Any(p => p.Source.Id == "Path")) yield return 404;
        if (metadata.OfType<IAcceptsMetadata>().Any()) foreach (var status in (int[])[400, 413, 415, 422]) yield return status;
    }

    private static readonly SortedDictionary<int, string> Failures = new()
    {
        [400] = "The body or a query value has the wrong form.",
        [401] = "No, an unknown or an expired credential.",
        [403] = "The caller's kind, scope or role does not suffice.",
        [404] = "No such resource in the caller's organisation.",
        [413] = "The body is too large.",
        [415] = "The content type is not supported.",
        [422] = "A field is missing or unacceptable; detail begins with its path.",
        [429] = "Too many requests; Retry-After says how long to wait.",
        [500] = "The server failed.",
    };

    private static OpenApiSchema ErrorSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "A failure.",
        Required = new HashSet<string> { "error" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["error"] = Field("Code for programs, such as VALIDATION_ERROR."),
            ["detail"] = Field("Text for people."),
            ["fields"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array, Description = "Every faulty field, when there are several.",
                Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema> { ["field"] = Field("Path of the field."), ["message"] = Field("What is wrong with it.") },
                },
            },
            ["signupUrl"] = Field("Where to get a key of one's own; only for the demo key."),
            ["request_id"] = Field("The X-Request-Id header again."),
        },
    };

    private static OpenApiSchema Field(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static string ErrorName(int status) => "Error" + Text(status);

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
