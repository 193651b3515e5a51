using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Knowledge.Intake;

/// <summary>Takes documents that come as text or as an address.</summary>
internal sealed class DocumentTexts(CallerContext access, ScopeAccess scopes, DocumentIntake intake, PageFetch pages, EgressGuard guard)
{
    private const int MaxText = 5 * 1024 * 1024, MaxUrl = 2_000, MaxSourceRef = 2_000, MaxRefreshHours = 8_760;

    public async Task<Document> AddTextAsync(DocumentTextRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var (text, title) = (request.Text.Value, request.Title.Value);
        if (text is not null && Encoding.UTF8.GetByteCount(text) > MaxText) throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"text: may have at most {MaxText} bytes");
        errors.Required("text", text, int.MaxValue);
        errors.Required("title", title, Document.MaxTitle);
        errors.Text("sourceRef", request.SourceRef.Value, MaxSourceRef);
        errors.OneOf("format", request.Format.Value, "txt", "md", "html");
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        var scope = ScopeAccess.Read(errors, request.ScopeType.Value, request.ScopeId.Value);
        errors.ThrowIfAny();
        await scopes.RequireAsync(scope!.Value, cancellationToken);
        var (type, extension) = request.Format.Value switch { "md" => ("text/markdown", "md"), "html" => ("text/html", "html"), _ => ("text/plain", "txt") };
        var name = $"text.{extension}";
        var received = await intake.ReceiveAsync(access.OrgId, new MemoryStream(Encoding.UTF8.GetBytes(text!)), name, type, "text", cancellationToken);
        var draft = new DocumentDraft(scope.Value, title!, Titled: true, request.SourceRef.Value is { Length: > 0 } source ? source : name, TextOf(request.Metadata.Value)) { DeclaredType = $"{type}; charset=utf-8" };
        return await intake.AddAsync(received, draft, waits: true, cancellationToken);
    }

    public async Task<Document> AddUrlAsync(DocumentUrlRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var (url, title) = (request.Url.Value, request.Title.Value);
        errors.Required("url", url, MaxUrl);
        errors.Text("title", title, Document.MaxTitle, min: 1);
        CheckRefresh(errors, request.RefreshHours.Value);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        var scope = ScopeAccess.Read(errors, request.ScopeType.Value, request.ScopeId.Value);
        errors.ThrowIfAny();
        await scopes.RequireAsync(scope!.Value, cancellationToken);
        if (await guard.RefusalAsync(url!, cancellationToken) is { } refusal) throw ApiException.Invalid("url", refusal);
        var page = await FetchAsync(url!, cancellationToken);
        var received = await intake.ReceiveAsync(access.OrgId, new MemoryStream(page.Body), PageFetch.NameOf(page), page.ContentType, "url", cancellationToken);
        var draft = new DocumentDraft(scope.Value, title ?? Guess(page.Address), title is not null, url!, TextOf(request.Metadata.Value))
        {
            Address = url,
            DeclaredType = page.ContentType,
            RefreshHours = request.RefreshHours.Value,
        };
        return await intake.AddAsync(received, draft, waits: true, cancellationToken);
    }

    public static void CheckRefresh(FieldErrors errors, int? hours) => errors.Range("refreshHours", hours, 1, MaxRefreshHours);

    public static string TextOf(JsonElement? metadata) => metadata is { ValueKind: JsonValueKind.Object } json ? json.GetRawText() : "{}";

    private async Task<OutboundAnswer> FetchAsync(string url, CancellationToken cancellationToken)
    {
        try
        {
            return await pages.FetchAsync(url, cancellationToken);
        }
        catch (OutboundException exception) when (exception.Fault == OutboundFault.Blocked)
        {
            throw ApiException.Invalid("url", exception.Message);
        }
        catch (OutboundException exception) when (exception.Fault == OutboundFault.TooLarge)
        {
            throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"url: {exception.Message}");
        }
        catch (OutboundException exception)
        {
            throw new ApiException(502, "UPSTREAM_ERROR", $"url: {exception.Message}");
        }
    }

    private static string Guess(Uri address)
    {
        var title = address.Host + address.AbsolutePath.TrimEnd('/');
        return title.Length <= Document.MaxTitle ? title : title[..Document.MaxTitle];
    }
}
