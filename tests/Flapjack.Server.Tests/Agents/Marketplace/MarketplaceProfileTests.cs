using System.Text.Json;
using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Agents.Marketplace;

public sealed class MarketplaceProfileTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_profile_is_there_once_it_was_saved_and_takes_from_its_agent_what_it_was_not_given()
    {
        var agent = await server.CreateAgentAsync("Billing Help", new { description = "Refunds and invoices\nfor everybody" });
        await server.Client.ProfileAsync(agent).ShouldBeError(404, "NOT_FOUND");
        await server.Client.DeleteProfileAsync(agent).ShouldBeError(404, "NOT_FOUND");
        var saved = await server.Client.SaveProfileAsync(agent, new { capabilities = new[] { "Refunds" } }).ShouldBe(200);
        saved.EnumerateObject().Select(p => p.Name).ShouldBe(["agent_id", "handle", "display_name", "tagline", "description", "capabilities", "categories", "visibility", "avatar_url", "readiness_score", "readiness", "created_at", "updated_at"]);
        (saved.Text("agent_id"), saved.Text("handle"), saved.Text("display_name"), saved.Text("tagline")).ShouldBe((agent.ToString(), "billing-help", "Billing Help", "Refunds and invoices"));
        (saved.Text("description"), saved.Text("visibility"), saved.GetProperty("avatar_url").ValueKind).ShouldBe(("Refunds and invoices\nfor everybody", "draft", JsonValueKind.Null));
        (saved.GetProperty("capabilities")[0].GetString(), saved.GetProperty("categories").GetArrayLength()).ShouldBe(("Refunds", 0));
        (await server.Client.ProfileAsync(agent).ShouldBe(200)).GetRawText().ShouldBe(saved.GetRawText());

        await server.Client.PatchAsync($"/api/agents/{agent}", JsonText.Content("""{"name":"Billing","description":null}"""), Token).ShouldBe(200);
        var renamed = await server.Client.ProfileAsync(agent).ShouldBe(200);
        (renamed.Text("handle"), renamed.Text("display_name"), renamed.GetProperty("tagline").ValueKind, renamed.GetProperty("description").ValueKind).ShouldBe(("billing-help", "Billing", JsonValueKind.Null, JsonValueKind.Null));
    }

    [Fact]
    public async Task Only_sent_fields_change_and_null_restores_a_default()
    {
        var agent = await server.CreateAgentAsync("Merged", new { description = "Own words" });
        await server.Client.SaveProfileAsync(agent, new { handle = "merged-one", displayName = "Shown", tagline = "Short", description = "Long", capabilities = new[] { "A", "B" }, categories = new[] { "support" } }).ShouldBe(200);
        var changed = await server.Client.SaveProfileAsync(agent, """{"display_name":"Other","tagline":null}""").ShouldBe(200);
        (changed.Text("handle"), changed.Text("display_name"), changed.Text("tagline"), changed.Text("description")).ShouldBe(("merged-one", "Other", "Own words", "Long"));
        (changed.GetProperty("capabilities").GetArrayLength(), changed.GetProperty("categories").GetArrayLength()).ShouldBe((2, 1));
        var restored = await server.Client.SaveProfileAsync(agent, """{"handle":null,"displayName":null,"description":null,"capabilities":null,"categories":null,"visibility":null}""").ShouldBe(200);
        (restored.Text("handle"), restored.Text("display_name"), restored.Text("description"), restored.Text("visibility")).ShouldBe(("merged", "Merged", "Own words", "draft"));
        (restored.GetProperty("capabilities").GetArrayLength(), restored.GetProperty("categories").GetArrayLength()).ShouldBe((0, 0));
        restored.Text("created_at").ShouldBe(changed.Text("created_at"));
    }

    [Fact]
    public async Task A_deleted_profile_is_gone_and_its_handle_free()
    {
        var (agent, other) = (await server.CreateAgentAsync(), await server.CreateAgentAsync());
        await server.Client.SaveProfileAsync(agent, new { handle = "freed-again" }).ShouldBe(200);
        await server.Client.SaveProfileAsync(other, new { handle = "freed-again" }).ShouldBeError(409, "CONFLICT");
        (await server.Client.DeleteProfileAsync(agent).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await server.Client.ProfileAsync(agent).ShouldBeError(404, "NOT_FOUND");
        await server.Client.SaveProfileAsync(other, new { handle = "freed-again" }).ShouldBe(200);
        await server.Client.DeleteAsync($"/api/agents/{other}", Token).ShouldBe(200);
        await server.Client.ProfileAsync(other).ShouldBeError(404, "NOT_FOUND");
        await server.Client.SaveProfileAsync(other, new { }).ShouldBeError(404, "NOT_FOUND");
        await server.Client.SaveProfileAsync(agent, new { handle = "freed-again" }).ShouldBe(200);
    }

    [Fact]
    public async Task Handles_are_unique_on_the_server_and_made_so_when_they_come_from_names()
    {
        var first = await server.CreateAgentAsync("Twin  Agent!");
        var second = await server.CreateAgentAsync("twin agent");
        (await server.Client.SaveProfileAsync(first, new { }).ShouldBe(200)).Text("handle").ShouldBe("twin-agent");
        (await server.Client.SaveProfileAsync(second, new { }).ShouldBe(200)).Text("handle").ShouldBe("twin-agent-2");
        // The own handle is no conflict.
        (await server.Client.SaveProfileAsync(first, new { handle = "twin-agent", tagline = "same" }).ShouldBe(200)).Text("tagline").ShouldBe("same");

        using var foreign = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync("handle-takers"))).Text);
        var theirs = Guid.Parse((await foreign.PostAsync("/api/agents", JsonText.Content("""{"name":"Twin Agent"}"""), Token).ShouldBe(201)).Text("id"));
        await foreign.SaveProfileAsync(theirs, new { handle = "twin-agent" }).ShouldBeError(409, "CONFLICT");
        await foreign.ProfileAsync(theirs).ShouldBeError(404, "NOT_FOUND");
        (await foreign.SaveProfileAsync(theirs, new { }).ShouldBe(200)).Text("handle").ShouldBe("twin-agent-3");
        await foreign.ProfileAsync(first).ShouldBeError(404, "NOT_FOUND");
        await foreign.SaveProfileAsync(first, new { }).ShouldBeError(404, "NOT_FOUND");
        await foreign.DeleteProfileAsync(first).ShouldBeError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("客服", "^agent(-[0-9a-f]+)?$")]
    [InlineData("X", "^agent-x$")]
    [InlineData("--- a --- b ---", "^a-b$")]
    [InlineData("Übergrößenträger", "^bergr-entr-ger$")]
    [InlineData("A name that is so long that nobody would ever want to type it in a browser", "^a-name-that-is-so-long-that-nobody-woul$")]
    public async Task Any_name_makes_a_handle(string name, string expected) =>
        (await server.Client.SaveProfileAsync(await server.CreateAgentAsync(name), new { }).ShouldBe(200)).Text("handle").ShouldMatch(expected);

    [Fact]
    public async Task Many_agents_of_one_name_get_handles_at_once()
    {
        var agents = new List<Guid>();
        for (var i = 0; i < 12; i++) agents.Add(await server.CreateAgentAsync("Crowd"));
        var saved = await Task.WhenAll(agents.Select(agent => server.Client.SaveProfileAsync(agent, new { }).ShouldBe(200)));
        saved.Select(profile => profile.Text("handle")).Distinct().Count().ShouldBe(12);
        saved.ShouldAllBe(profile => profile.Text("handle").StartsWith("crowd", StringComparison.Ordinal));
    }

    [Fact]
    public async Task First_saves_of_one_agent_at_once_make_one_profile()
    {
        var agent = await server.CreateAgentAsync("Raced");
        await Task.WhenAll(server.Client.SaveProfileAsync(agent, new { tagline = "T" }).ShouldBe(200), server.Client.SaveProfileAsync(agent, new { description = "D" }).ShouldBe(200), server.Client.SaveProfileAsync(agent, new { displayName = "N" }).ShouldBe(200));
        var profile = await server.Client.ProfileAsync(agent).ShouldBe(200);
        (profile.Text("tagline"), profile.Text("description"), profile.Text("display_name"), profile.Text("handle")).ShouldBe(("T", "D", "N", "raced"));
    }

    [Theory]
    [InlineData("""{"handle":"A-big-one"}""", "handle")]
    [InlineData("""{"handle":"x"}""", "handle")]
    [InlineData("""{"handle":"-begins-wrong"}""", "handle")]
    [InlineData("""{"handle":"line-break\n"}""", "handle")]
    [InlineData("""{"handle":"a234567890123456789012345678901234567890"}""", "handle")]
    [InlineData("""{"displayName":" "}""", "displayName")]
    [InlineData("""{"visibility":"public"}""", "visibility")]
    [InlineData("""{"categories":["1","2","3","4","5","6"]}""", "categories")]
    [InlineData("""{"capabilities":["fine",""]}""", "capabilities[1]")]
    [InlineData("""{"capabilities":[null]}""", "capabilities[0]")]
    public async Task What_is_not_acceptable_is_named(string body, string field) =>
        await server.Client.SaveProfileAsync(await server.CreateAgentAsync(), body).ShouldBeError(422, "VALIDATION_ERROR", field);

    [Fact]
    public async Task Texts_have_limits()
    {
        var agent = await server.CreateAgentAsync();
        foreach (var (field, most) in new[] { ("displayName", 100), ("tagline", 160), ("description", 5_000) })
        {
            await server.Client.SaveProfileAsync(agent, new Dictionary<string, string> { [field] = new('x', most + 1) }).ShouldBeError(422, "VALIDATION_ERROR", field);
            await server.Client.SaveProfileAsync(agent, new Dictionary<string, string> { [field] = new('x', most) }).ShouldBe(200);
        }
        await server.Client.SaveProfileAsync(agent, new { capabilities = Enumerable.Repeat("can", 21) }).ShouldBeError(422, "VALIDATION_ERROR", "capabilities");
        await server.Client.SaveProfileAsync(agent, new { capabilities = Enumerable.Repeat(new string('x', 60), 20) }).ShouldBe(200);
        await server.Client.SaveProfileAsync(agent, new { capabilities = new[] { new string('x', 61) } }).ShouldBeError(422, "VALIDATION_ERROR", "capabilities[0]");
        await server.Client.SaveProfileAsync(agent, """{"capabilities":"one"}""").ShouldBeError(400, "INVALID_REQUEST", "capabilities");
        await server.Client.SaveProfileAsync(agent, "[]").ShouldBeError(400, "INVALID_REQUEST");
    }

    [Fact]
    public async Task A_long_name_is_cut_for_display()
    {
        var profile = await server.Client.SaveProfileAsync(await server.CreateAgentAsync(new string('n', 99) + "🙂 and more"), new { }).ShouldBe(200);
        profile.Text("display_name").ShouldBe(new string('n', 99));
    }

    [Fact]
    public async Task The_demo_key_sees_a_profile_and_changes_none()
    {
        const string Demo = "00000000-0000-0000-0000-0000000a6e47";
        using var demo = server.ClientFor("fj_demo_example_key");
        var profile = await demo.ProfileAsync(Guid.Parse(Demo)).ShouldBe(200);
        (profile.Text("agent_id"), profile.Text("handle"), profile.GetProperty("readiness_score").GetInt32()).ShouldBe((Demo, "demo-agent", 45));
        await demo.SaveProfileAsync(Guid.Parse(Demo), new { }).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
    }
}
