using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Mcp.Registry;

/// <summary>Asks the registry that the operator named for servers.</summary>
internal sealed partial class RegistrySearch(ServerSettings settings, TimeProvider time, ILogger<RegistrySearch> logger) : IDisposable
{
    private const int MaxBytes = 4 * 1024 * 1024, MaxPages = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), Kept = TimeSpan.FromHours(1);

    // The operator's own address: the rules for addresses of users do not apply to it.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = true, MaxAutomaticRedirections = 3, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(5) });
    private readonly MemoryCache _pages = new(new MemoryCacheOptions { SizeLimit = MaxPages });

    /// <summary>A page. Throws 502 when the registry does not answer and the page is not remembered.</summary>
    public async Task<RegistryPage> FindAsync(string text, int limit, string? cursor, CancellationToken cancellationToken)
    {
        var key = (text, limit, cursor);
        if (_pages.Get(key) is Entry known && time.GetUtcNow() - known.At < Kept) return known.Page;
        using var timeout = new CancellationTokenSource(Patience, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var query = $"?limit={limit}&version=latest" + (text.Length > 0 ? $"&search={Uri.EscapeDataString(text)}" : "") + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}");
            // Registries speak the frozen version of their interface; older ones only the one before.
            var json = await AskAsync("v0.1/servers" + query, ending.Token) ?? await AskAsync("v0/servers" + query, ending.Token) ?? throw new InvalidDataException("it has no list of servers");
            var page = RegistryReading.Page(json);
            _pages.Set(key, new Entry(page, time.GetUtcNow()), new MemoryCacheEntryOptions { Size = 1 });
            return page;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException or JsonException or InvalidOperationException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, exception);
            throw new ApiException(502, "UPSTREAM_ERROR", "the registry of MCP servers does not answer");
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _pages.Dispose();
    }

    // Null when there is nothing at this address.
    private async Task<JsonElement?> AskAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(settings.Mcp.RegistryUrl.ToString().TrimEnd('/') + "/" + path));
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await _http.SendAsync(request, cancellationToken);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound) return null;
        // It answered: what it refuses is the only thing in the request that is its own.
        if (response.StatusCode is System.Net.HttpStatusCode.BadRequest or System.Net.HttpStatusCode.UnprocessableEntity && path.Contains("cursor=", StringComparison.Ordinal)) throw ApiException.Invalid("cursor", "is not a cursor of this list");
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken);
        using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
        return document.RootElement.Clone();
    }

    [LoggerMessage(1, LogLevel.Warning, "The registry of MCP servers did not answer")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    private sealed record Entry(RegistryPage Page, DateTimeOffset At);
}
