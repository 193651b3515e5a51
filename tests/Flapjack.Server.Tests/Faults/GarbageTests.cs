using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Tests.Accounts;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Faults;

/// <summary>Whatever is sent to any route, the answer is never a 5xx, a refusal has the contract's shape, and what is refused leaves no row behind.</summary>
public sealed partial class GarbageTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hostile_bodies_are_refused_by_every_route_that_takes_one()
    {
        var faults = new List<string>();
        var before = await RowsAsync();
        foreach (var route in Routes().Where(r => r.Method is "POST" or "PUT" or "PATCH" or "DELETE"))
        {
            foreach (var body in Bodies(route))
            {
                using var request = new HttpRequestMessage(new HttpMethod(route.Method), route.PathWith(Guid.CreateVersion7().ToString())) { Content = body.Content() };
                await CheckAsync(request, $"{route.Method} {route.Path} with {body.Name}", faults, body.IsRefused && route.BodyType is not null);
            }
        }
        faults.ShouldBeEmpty();
        (await RowsAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Fields_of_a_wrong_type_are_refused_by_existing_resources_and_change_nothing()
    {
        var agent = await server.CreateAgentAsync();
        var thread = await server.CreateThreadAsync(agent);
        await server.AskAsync(thread, "/echo hello");
        var faults = new List<string>();
        var before = await RowsAsync();
        var state = await server.Client.GetStringAsync($"/api/agents/{agent}", Token) + await server.Client.GetStringAsync($"/api/threads/{thread}", Token);
        foreach (var route in Routes().Where(r => r.Method is "POST" or "PATCH" && r.Path.StartsWith("/api/agents", StringComparison.Ordinal) | r.Path.StartsWith("/api/threads", StringComparison.Ordinal)))
        {
            foreach (var (name, json) in WrongFields(route.BodyType).Concat(Encoded.Where(body => body.IsRefused).Select(body => (body.Name, Json: (string?)null))))
            {
                var content = json is null ? Encoded.First(body => body.Name == name).Content() : JsonText.Content(json);
                using var request = new HttpRequestMessage(new HttpMethod(route.Method), route.PathWith(route.Path.Contains("agentId", StringComparison.Ordinal) ? agent.ToString() : thread.ToString())) { Content = content };
                await CheckAsync(request, $"{route.Method} {route.Path} with {name}", faults, refused: route.BodyType is not null);
            }
        }
        faults.ShouldBeEmpty();
        (await RowsAsync()).ShouldBe(before);
        (await server.Client.GetStringAsync($"/api/agents/{agent}", Token) + await server.Client.GetStringAsync($"/api/threads/{thread}", Token)).ShouldBe(state);
    }

    [Fact]
    public async Task Odd_ids_queries_and_headers_are_never_a_server_error()
    {
        var faults = new List<string>();
        var before = await RowsAsync();
        foreach (var route in Routes())
        {
            foreach (var id in Ids) await SendAsync(route, route.PathWith(id), $"id {id}");
            foreach (var query in Queries) await SendAsync(route, route.PathWith(Guid.CreateVersion7().ToString()) + query, $"query {query[..Math.Min(60, query.Length)]}");
            foreach (var (name, value) in Headers) await SendAsync(route, route.PathWith(Guid.CreateVersion7().ToString()), $"header {name} of {value.Length} characters", (name, value));
        }
        faults.ShouldBeEmpty();
        (await RowsAsync()).ShouldBe(before);

        async Task SendAsync(Route route, string path, string what, (string Name, string Value)? header = null)
        {
            // A write that would succeed is no garbage.
            if (route.Method is "POST" or "PUT" && route.Path is "/api/auth/logout" or "/api/auth/refresh") return;
            using var request = new HttpRequestMessage(new HttpMethod(route.Method), new Uri(server.BaseAddress, path));
            if (route.Method is "POST" or "PUT" or "PATCH") request.Content = JsonText.Content("[]");
            if (header is { } h) request.Headers.TryAddWithoutValidation(h.Name, h.Value);
            await CheckAsync(request, $"{route.Method} {route.Path} with {what}", faults, refused: false);
        }
    }

    [Fact]
    public async Task Bodies_beyond_the_limit_are_413_and_a_lying_length_is_no_server_error()
    {
        var big = new byte[10 * 1024 * 1024 + 1];
        Array.Fill(big, (byte)' ');
        await server.Client.PostAsync("/api/agents", JsonText.Content(big, "application/json"), Token).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/api/threads") { Content = new StreamContent(new MemoryStream(big)) };
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        await server.Client.SendAsync(chunked, Token).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
    }

    [Fact]
    public async Task Random_json_is_never_a_server_error()
    {
        var agent = await server.CreateAgentAsync();
        var thread = await server.CreateThreadAsync(agent);
        foreach (var (path, type, required) in new[]
        {
            ("/api/agents", typeof(Flapjack.Server.Agents.AgentRequest), "\"name\":\"x\""), ($"/api/agents/{agent}", typeof(Flapjack.Server.Agents.AgentRequest), "\"description\":\"x\""),
            ("/api/threads", typeof(Flapjack.Server.Threads.CreateThreadRequest), $"\"agentId\":\"{agent}\""), ($"/api/threads/{thread}/messages", typeof(Flapjack.Server.Threads.MessageRequest), "\"content\":\"/echo x\",\"stream\":false"),
        })
        {
            var property = Prop.ForAll(RandomJson.Bodies(type, required).ToArbitrary(), body => Send(path, body));
            Check.One(Config.QuickThrowOnFailure.WithMaxTest(100), property);
        }

        bool Send(string path, string body)
        {
            using var request = new HttpRequestMessage(path.StartsWith("/api/agents/", StringComparison.Ordinal) ? HttpMethod.Patch : HttpMethod.Post, path) { Content = JsonText.Content(body) };
            var faults = new List<string>();
            // FsCheck asks synchronously.
            CheckAsync(request, body, faults, refused: false).GetAwaiter().GetResult();
            return faults.Count == 0 ? true : throw new InvalidOperationException(string.Join('\n', faults));
        }
    }

    private async Task CheckAsync(HttpRequestMessage request, string what, List<string> faults, bool refused)
    {
        HttpResponseMessage response;
        try
        {
            response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        }
        catch (HttpRequestException exception)
        {
            faults.Add($"{what}: the connection broke ({exception.Message})");
            return;
        }
        using (response)
        {
            var status = (int)response.StatusCode;
            // The tests' registry of MCP servers is a dead port, and the answer says so.
            var isDeadRegistry = status == 502 && request.RequestUri!.OriginalString.Contains("/api/mcp-registry/", StringComparison.Ordinal);
            if (status >= 500 && !isDeadRegistry) faults.Add($"{what}: {status} {await response.Content.ReadAsStringAsync(Token)}");
            if (refused && status < 400) faults.Add($"{what}: accepted with {status}");
            // A message that is accepted may be answered with a stream; its rows are written until that ends.
            if (status < 400 && request.Method == HttpMethod.Post && request.RequestUri!.OriginalString.EndsWith("/messages", StringComparison.Ordinal)) await response.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
            // Kestrel itself refuses what is no request at all; it has no body then.
            if (status is < 400 or 431 || request.Method == HttpMethod.Head) return;
            var text = await response.Content.ReadAsStringAsync(Token);
            if (text.Length == 0 && status is 400 or 414) return;
            // Two addresses are pages for people.
            if (response.Content.Headers.ContentType?.MediaType == "text/html" && Page().IsMatch(request.RequestUri!.OriginalString)) return;
            if (!HasShape(text)) faults.Add($"{what}: {status} without the error object: {text}");
        }
    }

    private static bool HasShape(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (!json.RootElement.TryGetProperty("error", out var code)) return false;
            if (json.RootElement.TryGetProperty("jsonrpc", out _)) return code.GetProperty("code").TryGetInt32(out var number) && number < 0;
            // Below /v1 failures have OpenAI's form.
            if (code.ValueKind == JsonValueKind.Object) code = code.GetProperty("code");
            if (code.ValueKind == JsonValueKind.String && code.GetString() == "model_not_found") return true;
            return code.ValueKind == JsonValueKind.String && Code().IsMatch(code.GetString()!);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private async Task<string> RowsAsync()
    {
        await using var db = server.Database();
        var counts = new List<string>();
        foreach (var table in db.Model.GetEntityTypes().Select(t => t.GetTableName()).OfType<string>().Distinct().Order())
        {
            // Names of tables, from the model.
#pragma warning disable EF1002
            counts.Add($"{table} {await db.Database.SqlQueryRaw<long>($"SELECT count(*) AS \"Value\" FROM {table}").SingleAsync(Token)}");
#pragma warning restore EF1002
        }
        return string.Join('\n', counts);
    }

    private IEnumerable<Route> Routes() =>
        from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        let accepted = endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType
        select new Route(method, "/" + endpoint.RoutePattern.RawText!.Trim('/'), accepted);

    private static IEnumerable<Hostile> Bodies(Route route) =>
        Encoded.Concat(WrongFields(route.BodyType).Select(field => new Hostile(field.Name, () => JsonText.Content(field.Json!), true)));

    // Every field of the request's record with values of every other JSON type.
    private static IEnumerable<(string Name, string? Json)> WrongFields(Type? body)
    {
        foreach (var property in body?.GetProperties() ?? [])
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var type = property.PropertyType is { IsGenericType: true } optional && optional.GetGenericTypeDefinition() == typeof(Optional<>) ? optional.GetGenericArguments()[0] : property.PropertyType;
            foreach (var value in WrongValues(Nullable.GetUnderlyingType(type) ?? type)) yield return ($"{name} = {value[..Math.Min(40, value.Length)]}", $"{{\"{name}\":{value}}}");
        }
    }

    private static string[] WrongValues(Type type) =>
        type == typeof(string) ? ["7", "true", "[]", "{}", "\"a\\u0000b\"", "1e999"]
        : type == typeof(bool) ? ["7", "\"true\"", "[]", "{}"]
        : type == typeof(int) || type == typeof(long) ? ["\"7\"", "1.5", "1e400", "99999999999999999999999", "true", "[]", "{}"]
        : type == typeof(double) || type == typeof(decimal) ? ["\"7\"", "true", "[]", "{}", "1e999999"]
        : type == typeof(JsonElement) ? []
        : typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? ["7", "\"a\"", "true"]
        : ["7", "\"a\"", "true", "[[[]]]"];

    private static readonly Hostile[] Encoded =
    [
        Json("broken JSON", "{\"name\":"),
        Json("a text", "\"name\""),
        Json("null", "null"),
        Json("an array", "[{}]"),
        Json("a huge number", new string('9', 100_000)),
        Json("deep arrays", "{\"metadata\":" + new string('[', 50_000) + new string(']', 50_000) + "}"),
        Json("deep objects", string.Concat(Enumerable.Repeat("{\"a\":", 20_000)) + "1" + new string('}', 20_000)),
        Json("a lone surrogate", "{\"name\":\"\\ud800\",\"content\":\"\\udc00\"}"),
        Json("a lone surrogate in a name", "{\"\\ud800\":1}"),
        Json("a NUL", "\0"),
        Bytes("invalid UTF-8", [.. "{\"name\":\""u8, 0xC3, 0x28, 0xFF, .. "\"}"u8], "application/json"),
        Bytes("UTF-16", Encoding.Unicode.GetBytes("{\"name\":\"a\"}"), "application/json"),
        Bytes("charset utf-7", "{}"u8.ToArray(), "application/json; charset=utf-7"),
        Bytes("charset nonsense", "{}"u8.ToArray(), "application/json; charset=\u0022klingon\u0022"),
        Bytes("a form", "name=a&content=b"u8.ToArray(), "application/x-www-form-urlencoded"),
        Bytes("multipart without boundary", "--x\r\n\r\n--x--"u8.ToArray(), "multipart/form-data"),
        Bytes("XML", "<a/>"u8.ToArray(), "application/xml"),
        Bytes("a broken content type", "{}"u8.ToArray(), "application/;json;;"),
        new("gzip", () =>
        {
            var content = JsonText.Content([0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "application/json");
            content.Headers.ContentEncoding.Add("gzip");
            return content;
        }, true),
        // Any JSON value may stand where a body is opaque or unknown fields are ignored: only a 5xx is wrong.
        Json("unknown fields", "{\"__proto__\":{},\"constructor\":1,\"$ref\":\"#\"}", refused: false),
        Json("the same field twice", "{\"name\":7,\"name\":8}", refused: false),
    ];

    private static readonly string[] Ids =
    [
        "0", "-1", "null", "undefined", "%00", "%2e%2e%2f", "..%2f..%2fetc%2fpasswd", "'%20OR%201=1--", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "%7Bid%7D", "%F0%9F%92%A5", "%C3%28", "%ED%A0%80", "a%0d%0aX-Injected:%201", new string('a', 3_000),
    ];

    private static readonly string[] Queries =
    [
        "?limit=abc", "?limit=-1", "?limit=99999999999999999999", "?limit=1e3", "?offset=-5", "?offset=2147483648", "?limit=&offset=&cursor=", "?cursor=%00", "?cursor=not-a-time", "?cursor=9999-99-99T99:99:99Z",
        "?cursor=2026-01-01T00:00:00Z%7Cnope", "?orgId=1", "?orgId=00000000-0000-0000-0000-000000000000", "?agentId=%27", "?agentId[]=1", "?order=sideways", "?include=everything", "?status=%F0%9F%92%A5",
        "?a=%ED%A0%80&limit=%C3%28", "?limit=1&limit=2", "?=&&&==", "?lastEventId=x:y", "?from=yesterday&to=never&since=1", "?q=" + "%25".PadRight(4_000, 'x'),
    ];

    private static readonly (string Name, string Value)[] Headers =
    [
        ("X-Request-Id", new string('r', 4_000)), ("X-Flapjack-Org", "not-an-id"), ("X-Flapjack-Org", "\u0000"), ("Idempotency-Key", new string('k', 5_000)), ("Last-Event-ID", "x:99999999999999999999"),
        ("Last-Event-ID", "00000000-0000-0000-0000-000000000000:-1"), ("Accept", "nonsense"), ("Accept-Language", new string('z', 20_000)), ("Authorization", "Bearer " + new string('A', 20_000)), ("X-Long", new string('x', 40_000)),
        ("If-None-Match", "\"\"\""), ("Range", "bytes=9-1"), ("Origin", "null"), ("Cookie", string.Concat(Enumerable.Repeat("a=b; ", 500))),
    ];

    private static Hostile Json(string name, string json, bool refused = true) => new(name, () => JsonText.Content(json), refused);

    private static Hostile Bytes(string name, byte[] bytes, string contentType) => new(name, () => JsonText.Content(bytes, contentType), true);

    [GeneratedRegex("/chat/|/api/mcps/oauth/callback")]
    private static partial Regex Page();

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^[A-Z][A-Z0-9_]{2,40}\z")]
    private static partial Regex Code();

    private sealed record Hostile(string Name, Func<HttpContent> Content, bool IsRefused);

    private sealed record Route(string Method, string Path, Type? BodyType)
    {
        public string PathWith(string id) => Parameter().Replace(Path, id);
    }
}

/// <summary>JSON that nobody planned for: known field names with any values.</summary>
internal static class RandomJson
{
    public static Gen<string> Bodies(Type request, string required)
    {
        var names = request.GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).Concat(["unknown", "", "a.b"]).ToArray();
        var field = from name in Gen.Elements(names) from value in Value(3) select $"{JsonSerializer.Serialize(name)}:{value}";
        var whole = from fields in field.ListOf(4) from valid in Gen.Elements(true, true, false) select "{" + string.Join(',', valid ? fields.Prepend(required) : fields) + "}";
        return Gen.Frequency((9, whole), (1, Value(3)));
    }

    private static Gen<string> Value(int depth)
    {
        var text = from s in ArbMap.Default.GeneratorFor<string>() select JsonSerializer.Serialize(Replace(s));
        var number = Gen.Elements("0", "-1", "1", "7.5", "1e10", "-0", "2147483648", "9223372036854775808", "1e308", "1e-400", "123456789012345678901234567890");
        var word = Gen.Elements("true", "false", "null", "\"\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"00000000-0000-0000-0000-000000000000\"", "\"flapjack-offline\"", "\"queue\"", "\"continue\"", "\"multiplayer\"");
        if (depth == 0) return Gen.OneOf(text, number, word);
        var array = from items in Value(depth - 1).ListOf(3) select "[" + string.Join(',', items) + "]";
        var member = from name in Gen.Elements("type", "id", "name", "schema", "parameters", "enabled", "budgetTokens", "fallbackModels", "ttl", "tools", "x") from value in Value(depth - 1) select $"\"{name}\":{value}";
        var thing = from members in member.ListOf(3) select "{" + string.Join(',', members) + "}";
        return Gen.Frequency((2, text), (2, number), (3, word), (2, array), (2, thing));
    }

    private static string Replace(string? text) => text is null ? "" : new string([.. text.Select(c => char.IsSurrogate(c) ? '?' : c)]);
}
