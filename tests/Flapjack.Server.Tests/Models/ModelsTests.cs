using System.Text.Json;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.Configuration;

namespace Flapjack.Server.Tests.Models;

public sealed class ModelsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lists_the_catalog_in_the_contract_s_order_and_fields()
    {
        await using var own = await ServerFixture.StartAsync();
        var models = (await own.Client.GetAsync("/api/models", Token).ShouldBe(200)).EnumerateArray().ToList();
        models.Select(m => m.GetProperty("id").GetString()).ShouldBe(
            ["gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "claude-opus-4-7", "claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "flapjack-offline"]);
        models[0].EnumerateObject().Select(p => p.Name).ShouldBe(
            ["id", "vendor", "provider", "display_name", "context_window", "max_output_tokens", "input_usd_per_mtok", "output_usd_per_mtok", "cache_read_multiplier", "cache_write_multiplier",
                "cache_write_1h_multiplier", "min_cache_tokens", "supports", "is_default", "available", "note"]);
        models[0].GetProperty("supports").GetRawText().ShouldBe("""{"tools":true,"vision":true,"files":true,"json_schema":true,"temperature":false,"thinking":false,"native_compaction":false}""");
        models.Where(m => m.GetProperty("available").GetBoolean()).Select(m => m.GetProperty("id").GetString()).ShouldBe(["flapjack-offline"]);
        models.Single(m => m.GetProperty("is_default").GetBoolean()).GetProperty("id").GetString().ShouldBe("flapjack-offline");
        var available = await own.Client.GetAsync("/api/models?available=true", Token).ShouldBe(200);
        available.GetArrayLength().ShouldBe(1);
        await own.Client.GetAsync("/api/models?available=maybe", Token).ShouldBeError(400, "INVALID_REQUEST");
    }

    [Fact]
    public async Task A_credential_makes_models_available_and_changes_the_default()
    {
        await using var own = await ServerFixture.StartAsync();
        await Put(own, "openai", """{"apiKey":"sk-1"}""").ShouldBe(200);
        var models = await ListAsync(own);
        models["gpt-5.4"].GetProperty("available").GetBoolean().ShouldBeTrue();
        models["gpt-5.4"].GetProperty("is_default").GetBoolean().ShouldBeTrue();
        models["claude-opus-4-7"].GetProperty("available").GetBoolean().ShouldBeFalse();
        await Put(own, "openai", """{"enabled":false}""").ShouldBe(200);
        (await ListAsync(own))["gpt-5.4"].GetProperty("available").GetBoolean().ShouldBeFalse();
        await own.Client.DeleteAsync("/api/providers/openai", Token).ShouldBe(200);
        (await ListAsync(own))["flapjack-offline"].GetProperty("is_default").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Server_wide_providers_are_shown_apply_and_come_back()
    {
        await using var own = await ServerFixture.StartAsync(s =>
        {
            s["OPENAI_API_KEY"] = "sk-server";
            s["Providers:ollama:BaseUrl"] = "http://127.0.0.1:11434/v1";
            s["Providers:ollama:Models:0"] = "llama3.3";
            s["Providers:brave:ApiKey"] = "b";
            s["Models:Default"] = "ollama/llama3.3";
        });
        var shown = await own.Client.GetAsync("/api/providers", Token).ShouldBe(200);
        shown.EnumerateArray().Select(p => (p.GetProperty("provider").GetString(), p.GetProperty("source").GetString(), p.GetProperty("base_url").GetString(), p.GetProperty("has_api_key").GetBoolean()))
            .ShouldBe([("brave", "server", null, true), ("ollama", "server", null, false), ("openai", "server", null, true)]);
        shown.GetRawText().ShouldNotContain("sk-server");
        var models = await ListAsync(own);
        models["ollama/llama3.3"].GetProperty("available").GetBoolean().ShouldBeTrue();
        models["ollama/llama3.3"].GetProperty("is_default").GetBoolean().ShouldBeTrue();
        models.Keys.Last().ShouldBe("ollama/llama3.3");
        await own.Client.DeleteAsync("/api/providers/openai", Token).ShouldBeError(404, "NOT_FOUND");
        await Put(own, "openai", """{"enabled":false}""").ShouldBe(200);
        (await ListAsync(own))["gpt-5.4"].GetProperty("available").GetBoolean().ShouldBeFalse();
        await own.Client.DeleteAsync("/api/providers/openai", Token).ShouldBe(200);
        (await ListAsync(own))["gpt-5.4"].GetProperty("available").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_provider_keeps_what_is_not_sent_and_clears_what_is_null()
    {
        var created = await Put(server, "vllm", """
            {"kind":"openai_compatible","base_url":"https://8.8.8.8/v1","apiKey":"sk-2","headers":{"X-Extra":"a","x-other":"b"},
             "models":[{"id":"m","displayName":"M","contextWindow":1000,"inputUsdPerMtok":0.5,"output_usd_per_mtok":1,"supports":{"tools":false,"jsonSchema":true},"cacheReadMultiplier":0.5}]}
            """).ShouldBe(200);
        created.EnumerateObject().Select(p => p.Name).ShouldBe(["provider", "kind", "base_url", "has_api_key", "header_names", "enabled", "source", "models", "updated_at"]);
        created.GetProperty("header_names").GetRawText().ShouldBe("""["X-Extra","x-other"]""");
        created.GetProperty("models")[0].GetRawText().ShouldStartWith("""{"id":"m","display_name":"M","context_window":1000,"max_output_tokens":null,"input_usd_per_mtok":0.5,"output_usd_per_mtok":1,"supports":{"tools":false,"json_schema":true}""");
        created.GetRawText().ShouldNotContain("sk-2");
        var changed = await Put(server, "vllm", """{"apiKey":null,"enabled":false}""").ShouldBe(200);
        changed.GetProperty("has_api_key").GetBoolean().ShouldBeFalse();
        changed.GetProperty("base_url").GetString().ShouldBe("https://8.8.8.8/v1");
        changed.GetProperty("models").GetArrayLength().ShouldBe(1);
        changed = await Put(server, "vllm", """{"enabled":null,"headers":null,"models":null}""").ShouldBe(200);
        (changed.GetProperty("enabled").GetBoolean(), changed.GetProperty("header_names").GetArrayLength(), changed.GetProperty("models").GetArrayLength()).ShouldBe((true, 0, 0));
        await Put(server, "vllm", """{"baseUrl":null}""").ShouldBeError(422, "VALIDATION_ERROR", "baseUrl");
        await server.Client.DeleteAsync("/api/providers/vllm", Token).ShouldBe(200);
    }

    [Theory]
    [InlineData("ollama", """{}""", "baseUrl")]
    [InlineData("UPPER", """{"baseUrl":"https://8.8.8.8"}""", "provider")]
    [InlineData("openai", """{"kind":"anthropic"}""", "kind")]
    [InlineData("brave", """{"kind":"openai_compatible"}""", "kind")]
    [InlineData("own", """{"kind":"openai","baseUrl":"https://8.8.8.8"}""", "kind")]
    [InlineData("own", """{"baseUrl":"http://127.0.0.1:11434/v1"}""", "baseUrl")]
    [InlineData("own", """{"baseUrl":"http://169.254.169.254/"}""", "baseUrl")]
    [InlineData("own", """{"baseUrl":"ftp://8.8.8.8/"}""", "baseUrl")]
    [InlineData("own", """{"baseUrl":"https://8.8.8.8/?a=b"}""", "baseUrl")]
    [InlineData("openai", """{"apiKey":"a b"}""", "apiKey")]
    [InlineData("openai", """{"apiKey":" "}""", "apiKey")]
    [InlineData("openai", """{"headers":{"Host":"x"}}""", "headers.Host")]
    [InlineData("openai", """{"headers":{"X-A":"a\r\nb"}}""", "headers.X-A")]
    [InlineData("openai", """{"headers":{"X A":"a"}}""", "headers.X A")]
    [InlineData("openai", """{"models":[{}]}""", "models[0].id")]
    [InlineData("openai", """{"models":[{"id":"a"},{"id":"a"}]}""", "models[1].id")]
    [InlineData("openai", """{"models":[null]}""", "models[0]")]
    [InlineData("openai", """{"models":[{"id":"a","contextWindow":0}]}""", "models[0].contextWindow")]
    [InlineData("openai", """{"models":[{"id":"a","inputUsdPerMtok":-1}]}""", "models[0].inputUsdPerMtok")]
    public async Task Refuses_faulty_fields(string provider, string body, string field) => await Put(server, provider, body).ShouldBeError(422, "VALIDATION_ERROR", field);

    [Fact]
    public async Task A_refused_address_names_the_setting_and_the_host()
    {
        var error = await Put(server, "own", """{"baseUrl":"http://10.1.2.3:11434/v1"}""").ShouldBeError(422, "VALIDATION_ERROR", "baseUrl");
        error.GetProperty("detail").GetString()!.ShouldContain("10.1.2.3");
        error.GetProperty("detail").GetString()!.ShouldContain("Network:AllowedHosts");
        (await server.Client.GetAsync("/api/providers", Token).ShouldBe(200)).GetRawText().ShouldNotContain("\"own\"");
    }

    [Fact]
    public async Task Prices_in_a_provider_s_list_override_the_catalog()
    {
        await using var own = await ServerFixture.StartAsync();
        await Put(own, "openai", """{"apiKey":"k","models":[{"id":"gpt-5.4","inputUsdPerMtok":9},{"id":"gpt-next"}]}""").ShouldBe(200);
        var models = await ListAsync(own);
        models["gpt-5.4"].GetProperty("input_usd_per_mtok").GetDecimal().ShouldBe(9);
        models["gpt-5.4"].GetProperty("output_usd_per_mtok").GetDecimal().ShouldBe(15);
        models["gpt-5.4"].GetProperty("context_window").GetInt32().ShouldBe(1_050_000);
        models["openai/gpt-next"].GetProperty("input_usd_per_mtok").ValueKind.ShouldBe(JsonValueKind.Null);
        models["openai/gpt-next"].GetProperty("supports").GetProperty("temperature").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task An_operator_says_what_a_model_can_do()
    {
        await using var own = await ServerFixture.StartAsync(settings =>
        {
            settings["Providers:ollama:BaseUrl"] = "http://127.0.0.1:1/v1";
            settings["Providers:ollama:Models:0:Id"] = "llava";
            settings["Providers:ollama:Models:0:Supports:Vision"] = "true";
            settings["Providers:ollama:Models:0:Supports:jsonSchema"] = "false";
        });
        (await ListAsync(own))["ollama/llava"].GetProperty("supports").GetRawText()
            .ShouldBe("""{"tools":true,"vision":true,"files":false,"json_schema":false,"temperature":true,"thinking":false,"native_compaction":false}""");
        var fault = Should.Throw<SettingsException>(() => ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Providers:ollama:BaseUrl"] = "http://127.0.0.1:1/v1",
            ["Providers:ollama:Models:0:Id"] = "llava",
            ["Providers:ollama:Models:0:Supports:Sight"] = "true",
            ["Providers:ollama:Models:0:Supports:Files"] = "perhaps",
        }).Build()));
        fault.Message.ShouldContain("Supports:Sight");
        fault.Message.ShouldContain("Supports:Files");
    }

    [Fact]
    public async Task Secrets_are_stored_encrypted()
    {
        await using var own = await ServerFixture.StartAsync();
        await Put(own, "openai", """{"apiKey":"sk-plain-to-see","headers":{"X-Extra":"header-to-see"}}""").ShouldBe(200);
        var row = await own.ProviderRowAsync("openai");
        (row.ApiKey!, row.Headers!).ShouldSatisfyAllConditions(
            r => r.Item1.ShouldStartWith("v1."), r => r.Item1.ShouldNotContain("plain"), r => r.Item2.ShouldStartWith("v1."), r => r.Item2.ShouldNotContain("to-see"));
        own.Log.Lines.ShouldNotContain(l => l.Contains("sk-plain-to-see"));
    }

    [Fact]
    public async Task A_restricted_key_reads_but_needs_its_scope_to_write()
    {
        await using var own = await ServerFixture.StartAsync();
        using var reader = await own.KeyClientAsync("agents:read");
        await reader.GetAsync("/api/providers", Token).ShouldBe(200);
        await reader.GetAsync("/api/models", Token).ShouldBe(200);
        var error = await reader.PutAsync("/api/providers/openai", JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
        error.GetProperty("detail").GetString().ShouldBe("missing scope: providers:write");
        await reader.PostAsync("/api/providers/openai/test", JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
        using var writer = await own.KeyClientAsync("providers:write");
        await writer.PutAsync("/api/providers/openai", JsonText.Content("{}"), Token).ShouldBe(200);
    }

    private static Task<HttpResponseMessage> Put(ServerFixture server, string provider, string body) => server.Client.PutAsync($"/api/providers/{provider}", JsonText.Content(body), Token);

    private static async Task<Dictionary<string, JsonElement>> ListAsync(ServerFixture server) =>
        (await server.Client.GetAsync("/api/models", Token).ShouldBe(200)).EnumerateArray().ToDictionary(m => m.GetProperty("id").GetString()!);
}
