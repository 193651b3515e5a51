using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>The small page on which a browser ends: it tells the window that opened it how things went, and closes.</summary>
internal static class ReturnPage
{
    private const string Script = """
        const outcome = document.body.dataset;
        if (window.opener) {
          window.opener.postMessage({ type: "flapjack:mcp-oauth", ok: outcome.ok === "true", mcpId: outcome.mcpId || null }, "*");
          window.close();
        }
        """;

    /// <summary>Lets exactly this script run and nothing else.</summary>
    public static string Policy { get; } = $"default-src 'none'; script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script)))}'; frame-ancestors 'none'; base-uri 'none'";

    public static string Html(ReturnOutcome outcome)
    {
        var (title, text) = outcome.Error is null ? ("Connected", "You can close this window.") : ("Not connected", outcome.Error);
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
            <body data-ok="{(outcome.Error is null ? "true" : "false")}" data-mcp-id="{outcome.ServerId}"><h1>{title}</h1><p>{HtmlEncoder.Default.Encode(text)}</p><script>{Script}</script></body></html>
            """;
    }
}
