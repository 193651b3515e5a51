using System.Text.Json;
using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Knowledge.Intake;

/// <summary>Takes a document from a form as it arrives: it is never in memory as a whole.</summary>
internal sealed class DocumentUpload(CallerContext access, ScopeAccess scopes, DocumentIntake intake)
{
    private const int FieldLimit = 2_000;

    public async Task<Document> ReceiveAsync(FormBody<DocumentUploadRequest> form, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        ReceivedBytes? received = null;
        var (name, declared) = ("file", (string?)null);
        try
        {
            await form.ReadAsync(TakeAsync, cancellationToken);
            if (received is null) errors.Add("file", "is required");
            errors.Required("title", fields.GetValueOrDefault("title"), Document.MaxTitle);
            var scope = ScopeAccess.Read(errors, fields.GetValueOrDefault("scopeType"), fields.GetValueOrDefault("scopeId"));
            var metadata = MetadataOf(fields.GetValueOrDefault("metadata"), errors);
            var isAsync = FlagOf(fields.GetValueOrDefault("async"), errors);
            errors.ThrowIfAny();
            await scopes.RequireAsync(scope!.Value, cancellationToken);
            var draft = new DocumentDraft(scope.Value, fields["title"], Titled: true, name, metadata) { DeclaredType = declared };
            var bytes = received!;
            // From here on they are the intake's.
            received = null;
            return await intake.AddAsync(bytes, draft, waits: !isAsync, cancellationToken);
        }
        catch when (received is not null)
        {
            await intake.DropAsync(received);
            throw;
        }

        async Task TakeAsync(FormPart part)
        {
            if (part.Name == "file")
            {
                if (received is not null)
                {
                    errors.Add("file", "is sent twice");
                    return;
                }
                (name, declared) = (FileName.Clean(part.FileName, "file"), part.ContentType);
                received = await intake.ReceiveAsync(access.OrgId, part.Content, name, declared, "file", cancellationToken);
                return;
            }
            var field = part.Name switch { "scope_type" => "scopeType", "scope_id" => "scopeId", var known => known };
            if (field is not ("title" or "scopeType" or "scopeId" or "metadata" or "async")) return;
            var text = await part.TextAsync(field == "metadata" ? FieldRules.MetadataBytes : FieldLimit, cancellationToken);
            // The camelCase spelling wins.
            if (field == part.Name) fields[field] = text;
            else fields.TryAdd(field, text);
        }
    }

    private static string MetadataOf(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text)) return "{}";
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind == JsonValueKind.Object) return text;
        }
        catch (JsonException)
        {
        }
        errors.Add("metadata", "is not a JSON object");
        return "{}";
    }

    private static bool FlagOf(string? text, FieldErrors errors)
    {
        errors.OneOf("async", text, "true", "false", "1", "0", "");
        return text is "true" or "1";
    }
}
