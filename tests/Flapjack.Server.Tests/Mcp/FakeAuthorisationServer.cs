using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>An authorisation server that lives beside a fake MCP server and guards it. It checks PKCE, codes and clients like a real one.</summary>
internal sealed class FakeAuthorisationServer
{
    private readonly FakeMcpServer _fake;
    private readonly ConcurrentDictionary<string, (string Challenge, string Redirect)> _codes = new();
    private readonly Lock _lock = new();
    private readonly List<Dictionary<string, string>> _tokenRequests = [];
    private readonly List<string> _revoked = [];
    private readonly ConcurrentDictionary<string, bool> _valid = new();
    private int _count;
    private int _registrations;

    public FakeAuthorisationServer(FakeMcpServer fake)
    {
        _fake = fake;
        fake.Other = AnswerAsync;
        fake.IsAllowed = request => _valid.ContainsKey(request.Headers.Authorization.ToString());
    }

    public bool Publishes { get; set; } = true;

    public bool Registers { get; set; } = true;

    public int? ExpiresIn { get; set; } = 3600;

    /// <summary>Refuses refresh tokens with this error.</summary>
    public string? RefreshError { get; set; }

    public List<Dictionary<string, string>> TokenRequests
    {
        get { lock (_lock) return [.. _tokenRequests]; }
    }

    public List<string> Revoked
    {
        get { lock (_lock) return [.. _revoked]; }
    }

    public int Registrations => Volatile.Read(ref _registrations);

    /// <summary>Holds back answers to refreshes until it completes.</summary>
    public Task RefreshGate { get; set; } = Task.CompletedTask;

    /// <summary>From now on the MCP server takes no token that was given before.</summary>
    public void Expire() => _valid.Clear();

    /// <summary>What a browser and a consenting person do: gives the address it is sent back to.</summary>
    public string Consent(string authorizationUrl)
    {
        var address = new Uri(authorizationUrl);
        address.AbsolutePath.ShouldBe("/authorize");
        var query = QueryHelpers.ParseQuery(address.Query).ToDictionary(p => p.Key, p => p.Value.ToString());
        (query["response_type"], query["code_challenge_method"]).ShouldBe(("code", "S256"));
        var code = $"code{Interlocked.Increment(ref _count)}";
        _codes[code] = (query["code_challenge"], query["redirect_uri"]);
        return new Uri(query["redirect_uri"]).AbsolutePath + $"?code={code}&state={Uri.EscapeDataString(query["state"])}";
    }

    private async Task<bool> AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var at = _fake.Address;
        JsonNode? answer = (path, Publishes) switch
        {
            ("/.well-known/oauth-protected-resource/mcp", true) => JsonNode.Parse($$"""{"resource":"{{at}}/mcp","authorization_servers":["{{at}}"],"scopes_supported":["tools:use"]}"""),
            ("/.well-known/oauth-authorization-server", true) => JsonNode.Parse($$"""
                {"issuer":"{{at}}","authorization_endpoint":"{{at}}/authorize","token_endpoint":"{{at}}/token","revocation_endpoint":"{{at}}/revoke","code_challenge_methods_supported":["S256"]
                 {{(Registers ? $",\"registration_endpoint\":\"{at}/register\"" : "")}} }
                """),
            ("/register", _) => await RegisterAsync(http),
            ("/token", _) => await GiveAsync(http),
            ("/revoke", _) => await RevokeAsync(http),
            _ => null,
        };
        if (answer is null) return false;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.ToJsonString());
        return true;
    }

    private async Task<JsonNode> RegisterAsync(HttpContext http)
    {
        var request = (await JsonNode.ParseAsync(http.Request.Body))!;
        request["redirect_uris"]![0]!.GetValue<string>().ShouldEndWith("/api/mcps/oauth/callback");
        http.Response.StatusCode = 201;
        return new JsonObject { ["client_id"] = $"client{Interlocked.Increment(ref _registrations)}" };
    }

    private async Task<JsonNode> RevokeAsync(HttpContext http)
    {
        var token = (await http.Request.ReadFormAsync())["token"].ToString();
        lock (_lock) _revoked.Add(token);
        return new JsonObject();
    }

    private async Task<JsonNode> GiveAsync(HttpContext http)
    {
        var form = (await http.Request.ReadFormAsync()).ToDictionary(p => p.Key, p => p.Value.ToString());
        lock (_lock) _tokenRequests.Add(form);
        if (form["grant_type"] == "authorization_code")
        {
            var isGood = _codes.TryRemove(form["code"], out var code) && code.Redirect == form["redirect_uri"]
                && code.Challenge == Base64UrlTextEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"])));
            if (!isGood || form["code_verifier"].Length is < 43 or > 128) return Refused("invalid_grant");
        }
        else
        {
            await RefreshGate;
            if (RefreshError is { } error) return Refused(error);
        }
        var number = Interlocked.Increment(ref _count);
        // A token lives until its end, also when a newer one was given.
        _valid[$"Bearer access{number}"] = true;
        var answer = new JsonObject { ["access_token"] = $"access{number}", ["token_type"] = "Bearer", ["refresh_token"] = $"refresh{number}", ["scope"] = "tools:use" };
        if (ExpiresIn is { } seconds) answer["expires_in"] = seconds;
        return answer;

        JsonObject Refused(string error)
        {
            http.Response.StatusCode = 400;
            return new() { ["error"] = error };
        }
    }
}
