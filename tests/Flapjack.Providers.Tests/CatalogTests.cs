using Flapjack.Runtime.Models;

namespace Flapjack.Providers.Tests;

public sealed class CatalogTests
{
    [Theory]
    [InlineData("gpt-5.4", "gpt-5.4")]
    [InlineData("gpt-5.4-mini-20260305", "gpt-5.4-mini")]
    [InlineData("claude-sonnet-4-6-20260217", "claude-sonnet-4-6")]
    [InlineData("gpt-5.4-99999999", null)]
    [InlineData("gpt-5.4-2026030", null)]
    [InlineData("GPT-5.4", null)]
    [InlineData("ollama/llama3.3", null)]
    [InlineData("", null)]
    public void Ids_resolve_exactly_or_in_their_dated_form(string id, string? expected) => ModelCatalog.Find(id)?.Id.ShouldBe(expected);

    [Fact]
    public void The_catalog_is_the_published_table()
    {
        ModelCatalog.All.Select(model => $"{model.Id}|{model.Vendor}|{model.ContextWindow}|{model.MaxOutputTokens}|{model.Price.Input}|{model.Price.Output}|{model.MinCacheTokens}").ShouldBe(
        [
            "gpt-5.4|openai|1050000|128000|2.50|15.00|1024",
            "gpt-5.4-mini|openai|400000|128000|0.75|4.50|1024",
            "gpt-5.4-nano|openai|400000|128000|0.20|1.25|1024",
            "claude-opus-4-7|anthropic|1000000||5.00|25.00|4096",
            "claude-opus-4-6|anthropic|1000000||5.00|25.00|4096",
            "claude-sonnet-4-6|anthropic|1000000||3.00|15.00|2048",
            "claude-haiku-4-5|anthropic|||1.00|5.00|4096",
            "flapjack-offline|flapjack|128000|16000|0|0|",
        ]);
    }

    [Theory]
    [InlineData("gpt-5.4", 1_000, 100, 0, 0, false, 0.004)]
    [InlineData("gpt-5.4", 1_000, 100, 800, 0, false, 0.0022)]
    [InlineData("gpt-5.4", 1_000, 0, 0, 1_000, false, 0.0025)]
    [InlineData("claude-sonnet-4-6", 1_000, 100, 500, 400, false, 0.00345)]
    [InlineData("claude-sonnet-4-6", 1_000, 100, 500, 400, true, 0.00435)]
    [InlineData("flapjack-offline", 1_000, 100, 0, 0, false, 0)]
    public void A_call_costs_what_the_table_says(string id, long input, long output, long read, long write, bool oneHour, double expected) =>
        ModelCatalog.Find(id)!.Price.CostOf(new ModelUsage(input, output, read, write), oneHour).ShouldBe((decimal)expected);

    [Fact]
    public void An_endpoint_takes_over_what_its_model_can_do()
    {
        var claude = ModelEndpoint.Of(ModelCatalog.Find("claude-opus-4-7-20260401")!, "claude-opus-4-7-20260401", "secret-key");
        (claude.Kind, claude.ModelId, claude.SupportsThinking, claude.SupportsTemperature, claude.LongContextBeta).ShouldBe(("anthropic", "claude-opus-4-7-20260401", true, true, true));
        claude.ToString().ShouldNotContain("secret-key");
        ModelEndpoint.Of(ModelCatalog.Find("gpt-5.4")!, "gpt-5.4").SupportsTemperature.ShouldBeFalse();
    }

    [Fact]
    public void A_client_lives_as_long_as_its_endpoint()
    {
        using var clients = new ChatClients(TimeProvider.System);
        var endpoint = ModelEndpoint.Of(ModelCatalog.Find("gpt-5.4")!, "gpt-5.4");
        clients.For(endpoint).ShouldBeSameAs(clients.For(endpoint));
        Should.Throw<ArgumentException>(() => clients.For(endpoint with { Kind = "smoke_signals" }));
        Should.Throw<ArgumentException>(() => clients.For(endpoint with { Kind = ProviderKinds.OpenAICompatible }));
    }
}
