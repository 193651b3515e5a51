using Flapjack.Runtime.Models;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Models;

/// <summary>What agents and turns ask of models.</summary>
public sealed class ModelDirectoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ids_resolve_by_the_contract_s_rules()
    {
        await using var server = await ServerFixture.StartAsync();
        await PutAsync(server, "vllm", """{"baseUrl":"https://8.8.8.8/v1","models":[{"id":"meta/llama","inputUsdPerMtok":1,"outputUsdPerMtok":2,"cacheReadMultiplier":0.5}]}""");
        await PutAsync(server, "brave", """{"apiKey":"k"}""");
        var known = await ResolveAsync(server, "gpt-5.4");
        (known!.Provider, known.Kind, known.ModelName, known.Endpoint is null, known.ContextWindow, known.CredentialSource).ShouldBe(("openai", "openai", "gpt-5.4", true, 1_050_000, "platform"));
        var dated = await ResolveAsync(server, "claude-opus-4-7-20260301");
        (dated!.Id, dated.ModelName, dated.Price!.Input, dated.Supports.Thinking).ShouldBe(("claude-opus-4-7-20260301", "claude-opus-4-7-20260301", 5m, true));
        var own = await ResolveAsync(server, "vllm/meta/llama");
        (own!.Vendor, own.Kind, own.ModelName, own.IsTrustedAddress).ShouldBe(("vllm", "openai_compatible", "meta/llama", false));
        own.Price.ShouldBe(new ModelPrice(1, 2, 0.5m, 1));
        (await ResolveAsync(server, "vllm/unlisted"))!.Price.ShouldBeNull();
        (await ResolveAsync(server, "flapjack-offline"))!.Endpoint.ShouldNotBeNull();
        foreach (var unknown in (string[])["gpt-9", "gpt-5.4-20261399", "vllm", "vllm/", "/x", "nobody/x", "brave/x", "GPT-5.4", "", new string('x', 300)]) (await ResolveAsync(server, unknown)).ShouldBeNull(unknown);
    }

    [Fact]
    public async Task A_turn_costs_no_query_and_a_write_holds_at_once()
    {
        await using var server = await ServerFixture.StartAsync();
        await PutAsync(server, "openai", """{"apiKey":"one"}""");
        var first = await ResolveAsync(server, "gpt-5.4");
        (await ResolveAsync(server, "gpt-5.4")).ShouldBeSameAs(first);
        await ElsewhereAsync(server, p => p.Enabled = false);
        (await ResolveAsync(server, "gpt-5.4")).ShouldBeSameAs(first);
        server.Time.Advance(TimeSpan.FromSeconds(2.1));
        (await ResolveAsync(server, "gpt-5.4"))!.Endpoint.ShouldBeNull();
        await PutAsync(server, "openai", """{"enabled":true}""");
        var again = await ResolveAsync(server, "gpt-5.4");
        again!.Endpoint!.ApiKey.ShouldBe("one");
        server.Time.Advance(TimeSpan.FromSeconds(2.1));
        (await ResolveAsync(server, "gpt-5.4")).ShouldBeSameAs(again);
    }

    [Fact]
    public async Task A_model_without_a_credential_fails_the_call()
    {
        await using var server = await ServerFixture.StartAsync();
        var client = server.Services.GetRequiredService<ModelClients>().Create((await ResolveAsync(server, "gpt-5.4"))!, []);
        (await Should.ThrowAsync<ModelException>(() => client.GetResponseAsync("x", cancellationToken: Token))).Code.ShouldBe("MODEL_AUTH_FAILED");
    }

    [Fact]
    public async Task A_fallback_answers_when_a_model_is_refused()
    {
        await using var fake = await FakeModelServer.StartAsync();
        fake.Status = 404;
        await using var server = await ServerFixture.StartAsync(s => s["Network:AllowedHosts:0"] = "loopback");
        await PutAsync(server, "vllm", $$"""{"baseUrl":"{{fake.Address}}v1"}""");
        var client = server.Services.GetRequiredService<ModelClients>().Create((await ResolveAsync(server, "vllm/m"))!, [(await ResolveAsync(server, "flapjack-offline"))!]);
        var answer = await client.GetResponseAsync([new ChatMessage(ChatRole.User, "/echo still here")], cancellationToken: Token);
        answer.Text.ShouldBe("still here");
        var switched = answer.Messages.SelectMany(m => m.Contents).OfType<ModelFallbackContent>().Single();
        (switched.From, switched.To, switched.Status).ShouldBe(("vllm/m", "flapjack-offline", 404));
    }

    private static async Task<ModelChoice?> ResolveAsync(ServerFixture server, string id)
    {
        await using var scope = server.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<CallerContext>().EnterOrg(await server.OrgIdAsync());
        return await scope.ServiceProvider.GetRequiredService<ModelDirectory>().ResolveAsync(id, Token);
    }

    /// <summary>A change by another node.</summary>
    private static async Task ElsewhereAsync(ServerFixture server, Action<ProviderConfig> change)
    {
        await using var db = server.Services.GetRequiredService<Databases>().Open(await server.OrgIdAsync());
        var row = await db.Providers.SingleAsync(Token);
        change(row);
        row.UpdatedAt = row.UpdatedAt.AddSeconds(1);
        await db.SaveChangesAsync(Token);
    }

    private static async Task PutAsync(ServerFixture server, string provider, string body) =>
        await server.Client.PutAsync($"/api/providers/{provider}", JsonText.Content(body), Token).ShouldBe(200);
}
