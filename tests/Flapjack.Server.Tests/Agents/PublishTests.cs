using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Agents;

public sealed class PublishTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_slug_is_201_and_the_same_slug_again_changes_what_is_sent()
    {
        var agent = await server.CreateAgentAsync("Support", new { description = "Helps" });
        var first = await PublishAsync(agent, new { slug = "first-one", welcomeMessage = "Hi", suggestedPrompts = new[] { "What?" }, allowedOrigins = new[] { "HTTPS://Www.Example.com/" } }).ShouldBe(201);
        (first.Text("title"), first.Text("description"), first.Text("visibility"), first.Text("url")).ShouldBe(("Support", "Helps", "public", new Uri(server.BaseAddress, "/chat/first-one").ToString()));
        first.GetProperty("allowed_origins")[0].GetString().ShouldBe("https://www.example.com");
        first.GetProperty("is_active").GetBoolean().ShouldBeTrue();
        (first.GetProperty("allow_attachments").GetBoolean(), first.GetProperty("expose_tool_details").GetBoolean()).ShouldBe((false, false));

        var changed = await PublishAsync(agent, new { slug = "first-one", visibility = "private", welcome_message = (string?)null, title = "Desk" }).ShouldBe(200);
        changed.Text("id").ShouldBe(first.Text("id"));
        (changed.Text("visibility"), changed.Text("title")).ShouldBe(("private", "Desk"));
        changed.GetProperty("welcome_message").ValueKind.ShouldBe(JsonValueKind.Null);
        changed.GetProperty("suggested_prompts")[0].GetString().ShouldBe("What?");
    }

    [Fact]
    public async Task An_ended_publication_stays_the_agents_and_can_be_renewed()
    {
        var agent = await server.CreateAgentAsync();
        await PublishAsync(agent, new { slug = "comes-back" }).ShouldBe(201);
        await PublishAsync(agent, new { slug = "other-one" }).ShouldBe(201);
        (await DeleteAsync(agent, """{"slug":"comes-back"}""").ShouldBe(200)).GetProperty("ok").GetBoolean().ShouldBeTrue();
        await DeleteAsync(agent, """{"slug":"comes-back"}""").ShouldBeError(404, "NOT_FOUND");
        var shown = await server.Client.GetAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        shown.GetProperty("published_chats").EnumerateArray().Select(c => (c.Text("slug"), c.GetProperty("is_active").GetBoolean())).ShouldBe([("other-one", true), ("comes-back", false)]);
        var listed = (await server.Client.GetAsync("/api/agents", Token).ShouldBe(200)).EnumerateArray().Single(a => a.Text("id") == agent.ToString());
        listed.GetProperty("published_chats").GetArrayLength().ShouldBe(2);

        await PublishAsync(await server.CreateAgentAsync(), new { slug = "comes-back" }).ShouldBeError(409, "CONFLICT");
        (await PublishAsync(agent, new { slug = "comes-back" }).ShouldBe(200)).GetProperty("is_active").GetBoolean().ShouldBeTrue();
        await server.Client.DeleteAsync($"/api/agents/{agent}/publish", Token).ShouldBe(200);
        var all = await server.Client.GetAsync($"/api/agents/{agent}/publish", Token).ShouldBe(200);
        all.EnumerateArray().ShouldAllBe(p => !p.GetProperty("is_active").GetBoolean());
        all.GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_slug_of_another_organisation_is_taken_too_even_when_its_agent_is_gone()
    {
        var agent = await server.CreateAgentAsync();
        await PublishAsync(agent, new { slug = "across-orgs" }).ShouldBe(201);
        await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        using var other = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync("publishers"))).Text);
        var theirs = (await other.PostAsync("/api/agents", JsonText.Content("""{"name":"Theirs"}"""), Token).ShouldBe(201)).Text("id");
        await other.PostAsync($"/api/agents/{theirs}/publish", JsonText.Content("""{"slug":"across-orgs"}"""), Token).ShouldBeError(409, "CONFLICT");
        await server.Anonymous.GetAsync("/api/public/chat/across-orgs", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("""{}""", "slug")]
    [InlineData("""{"slug":"x"}""", "slug")]
    [InlineData("""{"slug":"-starts"}""", "slug")]
    [InlineData("""{"slug":"Upper"}""", "slug")]
    [InlineData("""{"slug":"with space"}""", "slug")]
    [InlineData("""{"slug":"fine","visibility":"secret"}""", "visibility")]
    [InlineData("""{"slug":"fine","suggestedPrompts":[""]}""", "suggestedPrompts[0]")]
    [InlineData("""{"slug":"fine","allowedOrigins":["https://example.com/path"]}""", "allowedOrigins[0]")]
    [InlineData("""{"slug":"fine","allowedOrigins":["example.com"]}""", "allowedOrigins[0]")]
    [InlineData("""{"slug":"fine","allowedOrigins":["https://a.example 'unsafe-inline'"]}""", "allowedOrigins[0]")]
    public async Task What_does_not_fit_is_refused_with_its_field(string body, string field)
    {
        var agent = await server.CreateAgentAsync();
        await server.Client.PostAsync($"/api/agents/{agent}/publish", JsonText.Content(body), Token).ShouldBeError(422, "VALIDATION_ERROR", field);
    }

    private Task<HttpResponseMessage> PublishAsync(Guid agent, object body) => server.Client.PostAsync($"/api/agents/{agent}/publish", TurnWorld.Body(body), Token);

    private Task<HttpResponseMessage> DeleteAsync(Guid agent, string body) =>
        server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/agents/{agent}/publish") { Content = JsonText.Content(body) }, Token);
}
