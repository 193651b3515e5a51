using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Plans;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Memory;

/// <summary><c>/api/agents/{agentId}/memory</c> and <c>…/memories</c>: what an agent remembers, seen from outside.</summary>
public sealed class MemoryTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Config_has_defaults_limits_and_a_count()
    {
        var agent = await world.Server.CreateAgentAsync();
        (await world.GetAsync($"/api/agents/{agent}/memory")).GetRawText().ShouldBe(
            """{"enabled":false,"auto_collect":false,"auto_inject":true,"inject_count":5,"max_memories":1000,"agent_scope":true,"thread_scope":true,"resource_scope":true,"memory_count":0,"updated_at":null}""");
        await world.RememberAsync(agent, "One");
        var changed = await world.ConfigureAsync(agent, new { enabled = true, inject_count = 50, maxMemories = 100_000, threadScope = false, memoryCount = 99 });
        (changed.GetProperty("memory_count").GetInt32(), changed.GetProperty("inject_count").GetInt32(), changed.GetProperty("thread_scope").GetBoolean(), changed.GetProperty("agent_scope").GetBoolean()).ShouldBe((1, 50, false, true));
        foreach (var (body, field) in new[] { ("""{"injectCount":0}""", "injectCount"), ("""{"inject_count":51}""", "injectCount"), ("""{"maxMemories":100001}""", "maxMemories") })
        {
            await world.Server.Client.PutAsync($"/api/agents/{agent}/memory", TurnWorld.Body(body), Token).ShouldBeError(422, "VALIDATION_ERROR", field);
        }
        await world.Server.Client.GetAsync($"/api/agents/{Guid.NewGuid()}/memory", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_memory_is_answered_as_the_contract_shows_it()
    {
        var agent = await world.Server.CreateAgentAsync();
        var made = await world.PostAsync($"/api/agents/{agent}/memories", new { content = "Prefers e-mail", scope = "resource", scope_id = "customer:42", metadata = new { From = "crm" } }).ShouldBe(201);
        made.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "agent_id", "scope", "scope_id", "content", "source", "score", "metadata", "last_used_at", "created_at"]);
        (made.Text("scope"), made.Text("scope_id"), made.Text("source"), made.GetProperty("agent_id").GetGuid(), made.GetProperty("score").ValueKind).ShouldBe(("resource", "customer:42", "api", agent, JsonValueKind.Null));
        made.GetProperty("metadata").GetRawText().ShouldBe("""{"From":"crm"}""");
        (await world.MemoriesAsync(agent)).Single().GetRawText().ShouldBe(made.GetRawText());
    }

    [Fact]
    public async Task Lists_are_newest_first_in_pages_and_by_scope()
    {
        var (agent, thread) = await world.RememberingAsync();
        for (var i = 0; i < 5; i++) await world.RememberAsync(agent, $"m{i}", i < 3 ? "agent" : "thread", i < 3 ? null : thread.ToString());
        var first = await world.GetAsync($"/api/agents/{agent}/memories?limit=2");
        first.GetProperty("memories").EnumerateArray().Contents().ShouldBe(["m4", "m3"]);
        var second = await world.GetAsync($"/api/agents/{agent}/memories?limit=2&cursor={first.Text("nextCursor")}");
        second.GetProperty("memories").EnumerateArray().Contents().ShouldBe(["m2", "m1"]);
        var last = await world.GetAsync($"/api/agents/{agent}/memories?limit=2&cursor={second.Text("nextCursor")}");
        last.GetProperty("memories").EnumerateArray().Contents().ShouldBe(["m0"]);
        last.GetProperty("nextCursor").ValueKind.ShouldBe(JsonValueKind.Null);
        (await world.MemoriesAsync(agent, "?scope=thread")).Contents().ShouldBe(["m4", "m3"]);
        (await world.MemoriesAsync(agent, $"?scopeId={agent}")).Contents().ShouldBe(["m2", "m1", "m0"]);
        await world.Server.Client.GetAsync($"/api/agents/{agent}/memories?cursor=x", Token).ShouldBeError(422, "VALIDATION_ERROR", "cursor");
        await world.Server.Client.GetAsync($"/api/agents/{agent}/memories?scope=org", Token).ShouldBeError(422, "VALIDATION_ERROR", "scope");
    }

    [Fact]
    public async Task A_question_orders_by_what_fits_it()
    {
        var agent = await world.Server.CreateAgentAsync();
        foreach (var content in new[] { "The customer's office is in Oslo.", "The customer drinks tea, never coffee.", "Invoices go to the office by e-mail.", "Отчёт нужен по пятницам." }) await world.RememberAsync(agent, content);
        var found = await world.MemoriesAsync(agent, "?q=" + Uri.EscapeDataString("To which office do invoices go?"));
        found.Contents().ShouldBe(["Invoices go to the office by e-mail.", "The customer's office is in Oslo."]);
        var scores = found.ConvertAll(m => m.GetProperty("score").GetDouble());
        scores[0].ShouldBeInRange(scores[1], 1);
        (await world.MemoriesAsync(agent, "?q=" + Uri.EscapeDataString("отчет"))).Contents().ShouldBe(["Отчёт нужен по пятницам."]);
        (await world.MemoriesAsync(agent, "?q=zebra")).ShouldBeEmpty();
        var page = await world.GetAsync($"/api/agents/{agent}/memories?q=office&limit=1");
        (await world.MemoriesAsync(agent, $"?q=office&limit=1&cursor={page.Text("nextCursor")}")).Single().Text("content").ShouldNotBe(page.GetProperty("memories")[0].Text("content"));
        found[0].GetProperty("last_used_at").ValueKind.ShouldBe(JsonValueKind.Null, "reading from outside is no use of a memory");
    }

    public static TheoryData<string, int, string> Faults => new()
    {
        { "{}", 422, "content" },
        { """{"content":" "}""", 422, "content" },
        { $$"""{"content":"{{new string('x', 2001)}}"}""", 422, "content" },
        { """{"content":1}""", 400, "content" },
        { """{"content":"a","scope":"org"}""", 422, "scope" },
        { """{"content":"a","scope":"thread"}""", 422, "scopeId" },
        { """{"content":"a","scope":"thread","scopeId":"x"}""", 422, "scopeId" },
        { """{"content":"a","scope":"resource"}""", 422, "scopeId" },
        { """{"content":"a","scope":"resource","scopeId":"customer"}""", 422, "scopeId" },
        { """{"content":"a","metadata":[]}""", 400, "metadata" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Wrong_values_store_nothing(string body, int status, string field)
    {
        var agent = await world.Server.CreateAgentAsync();
        await world.PostAsync($"/api/agents/{agent}/memories", body).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await world.MemoriesAsync(agent)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Memories_are_deleted_one_by_one_by_scope_or_all()
    {
        var (agent, thread) = await world.RememberingAsync();
        var one = await world.RememberAsync(agent, "one");
        await world.RememberAsync(agent, "two", "thread", thread.ToString());
        foreach (var id in new[] { "customer:1", "customer:2" }) await world.RememberAsync(agent, $"about {id}", "resource", id);
        var path = $"/api/agents/{agent}/memories";
        await world.DeleteAsync(path).ShouldBeError(422, "VALIDATION_ERROR", "scope");
        await world.DeleteAsync(path + "?scope=org").ShouldBeError(422, "VALIDATION_ERROR", "scope");
        (await world.DeleteAsync($"{path}/{one.Text("id")}").ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await world.DeleteAsync($"{path}/{one.Text("id")}").ShouldBeError(404, "NOT_FOUND");
        (await world.DeleteAsync(path + "?scope=resource&scopeId=customer:1").ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true,"deleted":1}""");
        (await world.DeleteAsync(path, new { scopeId = thread }).ShouldBe(200)).GetProperty("deleted").GetInt32().ShouldBe(1);
        (await world.MemoriesAsync(agent)).Contents().ShouldBe(["about customer:2"]);
        (await world.DeleteAsync(path + "?all=true").ShouldBe(200)).GetProperty("deleted").GetInt32().ShouldBe(1);
        (await world.GetAsync($"/api/agents/{agent}/memory")).GetProperty("memory_count").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task A_thread_and_an_agent_take_their_memories_along()
    {
        var (agent, thread) = await world.RememberingAsync();
        await world.RememberAsync(agent, "of the agent");
        await world.RememberAsync(agent, "of the thread", "thread", thread.ToString());
        await world.DeleteAsync($"/api/threads/{thread}").ShouldBe(200);
        (await world.MemoriesAsync(agent)).Contents().ShouldBe(["of the agent"]);
        await world.PostAsync($"/api/agents/{agent}/memories", new { content = "late", scope = "thread", scopeId = thread }).ShouldBeError(404, "NOT_FOUND");
        await world.DeleteAsync($"/api/agents/{agent}").ShouldBe(200);
        await world.Server.Client.GetAsync($"/api/agents/{agent}/memories", Token).ShouldBeError(404, "NOT_FOUND");
        (await RowsAsync(agent)).ShouldBe(0);
    }

    [Fact]
    public async Task What_was_said_in_a_thread_is_for_those_who_see_it()
    {
        var (agent, thread) = await world.RememberingAsync();
        await world.RememberAsync(agent, "secret of the thread", "thread", thread.ToString());
        await world.RememberAsync(agent, "of the agent");
        var mail = $"{Guid.NewGuid():N}@example.com";
        await world.Server.AddUserAsync(mail, (await world.Server.FirstOrgAsync(), "member"));
        using var member = await world.Server.ClientOfAsync(mail);
        (await world.MemoriesAsync(agent, client: member)).Contents().ShouldBe(["of the agent"]);
        (await world.MemoriesAsync(agent, "?q=secret", member)).ShouldBeEmpty();
        using var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        await stranger.GetAsync($"/api/agents/{agent}/memories", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private async Task<int> RowsAsync(Guid agent)
    {
        await using var db = world.Server.Services.GetRequiredService<Databases>().Open(await world.Server.FirstOrgAsync());
        return await db.Memories.CountAsync(m => m.AgentId == agent, Token) + await db.MemoryTerms.CountAsync(t => !db.Memories.IgnoreQueryFilters().Any(m => m.Number == t.MemoryNumber), Token);
    }
}
