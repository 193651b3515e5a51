using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Who sees which thread, and who takes part in one.</summary>
public sealed class ThreadPeopleTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Users_list_and_reach_what_they_started_or_take_part_in()
    {
        var server = world.Server;
        var agent = await server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var (ada, adaId) = await UserAsync("member");
        var (bob, bobId) = await UserAsync("member");
        var (admin, _) = await UserAsync("admin");
        var hers = (await world.PostAsync("/api/threads", new { agentId = agent, userId = "somebody else" }, ada).ShouldBe(200)).GetProperty("id").GetGuid();
        (await world.ThreadAsync(hers)).Text("user_id").ShouldBe(adaId.ToString());
        var shared = (await world.PostAsync("/api/threads", new { agentId = agent, kind = "multiplayer" }, ada).ShouldBe(200)).GetProperty("id").GetGuid();
        var applications = await server.CreateThreadAsync(agent);

        (await IdsAsync(ada, agent)).ShouldBe([shared, hers]);
        (await IdsAsync(bob, agent)).ShouldBeEmpty();
        (await IdsAsync(admin, agent)).ShouldBeEmpty();
        (await IdsAsync(admin, agent, "&scope=org")).ShouldBe([applications, shared, hers]);
        (await IdsAsync(server.Client, agent)).ShouldBe([applications, shared, hers]);
        await ada.GetAsync($"/api/threads?agentId={agent}&scope=org", Token).ShouldBeError(403, "FORBIDDEN");

        await admin.GetAsync($"/api/threads/{hers}", Token).ShouldBe(200);
        foreach (var path in (string[])["", "/messages", "/stream", "/participants"]) await bob.GetAsync($"/api/threads/{shared}{path}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync($"/api/threads/{shared}/messages", new { content = "hi" }, bob).ShouldBeError(404, "NOT_FOUND");
        await bob.PostAsync($"/api/threads/{shared}/stop", null, Token).ShouldBeError(404, "NOT_FOUND");

        await world.PostAsync($"/api/threads/{shared}/participants", new { userId = bobId.ToString(), displayName = "Bob" }, ada).ShouldBe(201);
        (await IdsAsync(bob, agent)).ShouldBe([shared]);
        await bob.GetAsync($"/api/threads/{shared}", Token).ShouldBe(200);
        await bob.GetAsync($"/api/threads/{hers}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync($"/api/threads/{shared}/participants", new { userId = "x" }, bob).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Viewers_read_and_write_nothing()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var (viewer, id) = await UserAsync("viewer");
        var thread = await world.Server.CreateThreadAsync(agent, new { kind = "multiplayer" });
        await world.PostAsync($"/api/threads/{thread}/participants", new { userId = id.ToString() }).ShouldBe(201);
        await viewer.GetAsync($"/api/threads/{thread}/messages", Token).ShouldBe(200);
        await viewer.GetAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await world.PostAsync($"/api/threads/{thread}/messages", new { content = "hi" }, viewer).ShouldBeError(403, "FORBIDDEN");
        await world.PostAsync("/api/threads", new { agentId = agent }, viewer).ShouldBeError(403, "FORBIDDEN");
        await viewer.PostAsync($"/api/threads/{thread}/stop", null, Token).ShouldBeError(403, "FORBIDDEN");
        await viewer.DeleteAsync($"/api/agents/{agent}", Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Participants_come_change_and_go()
    {
        var thread = await world.OpenAsync(thread: new { kind = "multiplayer" });
        var path = $"/api/threads/{thread}/participants";
        (await world.GetAsync(path)).GetArrayLength().ShouldBe(0);
        var ada = await world.PostAsync(path, """{"user_id":"u-17","displayName":"Ada","role":"owner"}""").ShouldBe(201);
        (ada.Text("user_id"), ada.Text("display_name"), ada.Text("role")).ShouldBe(("u-17", "Ada", "owner"));
        ada.Text("created_at").ShouldEndWith("Z");
        (await world.PostAsync(path, new { userId = "u-18" }).ShouldBe(201)).Text("role").ShouldBe("member");
        (await world.PostAsync(path, new { userId = "u-17", displayName = "Ada L." }).ShouldBe(200)).Text("role").ShouldBe("owner");
        (await world.GetAsync(path)).EnumerateArray().Select(p => p.Text("user_id")).ShouldBe(["u-18", "u-17"]);
        await world.PostAsync(path, new { userId = "u-17", role = "member" }).ShouldBeError(409, "CONFLICT");
        await RemoveAsync(path, """{"userId":"u-17"}""").ShouldBeError(409, "CONFLICT");
        await world.PostAsync(path, new { userId = "u-18", role = "owner" }).ShouldBe(200);
        (await RemoveAsync(path, """{"userId":"u-17"}""").ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        await RemoveAsync(path, """{"userId":"u-17"}""").ShouldBeError(404, "NOT_FOUND");
        await RemoveAsync(path + "?userId=u-18", null).ShouldBeError(409, "CONFLICT");
        await RemoveAsync(path, "{}").ShouldBeError(422, "VALIDATION_ERROR", "userId");
        await world.PostAsync(path, new { role = "owner" }).ShouldBeError(422, "VALIDATION_ERROR", "userId");
        await world.PostAsync(path, new { userId = "u", role = "guest" }).ShouldBeError(422, "VALIDATION_ERROR", "role");
        await world.PostAsync(path, new { userId = new string('u', 256) }).ShouldBeError(422, "VALIDATION_ERROR", "userId");
    }

    [Fact]
    public async Task One_participant_added_many_times_at_once_is_there_once()
    {
        var thread = await world.OpenAsync(thread: new { kind = "multiplayer" });
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => world.PostAsync($"/api/threads/{thread}/participants", new { userId = "u-1" })));
        answers.Select(a => (int)a.StatusCode).ShouldAllBe(status => status == 200 || status == 201);
        answers.Count(a => (int)a.StatusCode == 201).ShouldBe(1);
        (await world.GetAsync($"/api/threads/{thread}/participants")).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_thread_takes_as_many_participants_as_its_agent_allows()
    {
        var agent = await world.Server.CreateAgentAsync();
        await world.Server.Client.PutAsync($"/api/agents/{agent}/multiplayer", TurnWorld.Body(new { maxParticipants = 3 }), Token).ShouldBe(200);
        var path = $"/api/threads/{await world.Server.CreateThreadAsync(agent, new { kind = "multiplayer" })}/participants";
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => world.PostAsync(path, new { userId = $"u-{i}" })));
        answers.Count(a => (int)a.StatusCode == 201).ShouldBe(3);
        await answers.First(a => (int)a.StatusCode != 201).ShouldBeErrorAsync(409, "CONFLICT");
        var known = (await world.GetAsync(path))[0].Text("user_id");
        // Who is there already can still be changed.
        (await world.PostAsync(path, new { userId = known, displayName = "Ada" }).ShouldBe(200)).Text("display_name").ShouldBe("Ada");
        await RemoveAsync(path, $$"""{"userId":"{{known}}"}""").ShouldBe(200);
        await world.PostAsync(path, new { userId = "u-9" }).ShouldBe(201);
    }

    [Fact]
    public async Task Owners_who_leave_at_once_leave_one_behind()
    {
        var path = $"/api/threads/{await world.OpenAsync(thread: new { kind = "multiplayer" })}/participants";
        string[] owners = ["u-1", "u-2", "u-3", "u-4"];
        foreach (var owner in owners) await world.PostAsync(path, new { userId = owner, role = "owner" }).ShouldBe(201);
        var answers = await Task.WhenAll(owners.Select((owner, i) => i % 2 == 0 ? RemoveAsync(path, $$"""{"userId":"{{owner}}"}""") : world.PostAsync(path, new { userId = owner, role = "member" })));
        answers.Count(a => (int)a.StatusCode == 409).ShouldBe(1);
        (await world.GetAsync(path)).EnumerateArray().Count(p => p.Text("role") == "owner").ShouldBe(1);
    }

    [Fact]
    public async Task Single_threads_have_no_participants()
    {
        var (user, _) = await UserAsync("member");
        var agent = await world.Server.CreateAgentAsync();
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent }, user).ShouldBe(200)).Text("id");
        foreach (var client in (HttpClient[])[world.Server.Client, user])
        {
            (await world.GetAsync($"/api/threads/{thread}/participants", client)).GetRawText().ShouldBe("[]");
            await world.PostAsync($"/api/threads/{thread}/participants", new { userId = "u" }, client).ShouldBeError(409, "CONFLICT");
        }
    }

    [Fact]
    public async Task In_a_multiplayer_thread_everybody_has_a_name_and_the_model_reads_it()
    {
        var (user, userId) = await UserAsync("member");
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent, kind = "multiplayer" }, user).ShouldBe(200)).GetProperty("id").GetGuid();
        var owner = (await world.GetAsync($"/api/threads/{thread}/participants", user))[0];
        (owner.Text("user_id"), owner.Text("role")).ShouldBe((userId.ToString(), "owner"));
        await using (var stream = await world.SendAsync(thread, new { content = "first", senderName = "Bob", senderId = "u-2" })) await stream.EndAsync();
        await using (var stream = await world.SendAsync(thread, new { content = "second" }, user)) await stream.EndAsync();
        var messages = await world.MessagesAsync(thread);
        messages.Select(m => (m.GetProperty("sender_name").GetString(), m.GetProperty("sender_id").GetString())).ShouldBe([("Bob", "u-2"), ("Ada", agent.ToString()), ("Somebody", userId.ToString()), ("Ada", agent.ToString())]);
        world.Upstream.LastRequest.Body.GetProperty("input").ToString().ShouldContain("Bob: first");
    }

    private async Task<(HttpClient Client, Guid Id)> UserAsync(string role)
    {
        var mail = $"{Guid.NewGuid():N}@example.com";
        var id = await world.Server.AddUserAsync(mail, (await world.Server.FirstOrgAsync(), role));
        return (await world.Server.ClientOfAsync(mail), id);
    }

    private async Task<Guid[]> IdsAsync(HttpClient client, Guid agent, string query = "") =>
        [.. (await world.GetAsync($"/api/threads?agentId={agent}{query}", client)).GetProperty("threads").EnumerateArray().Select(t => t.GetProperty("id").GetGuid())];

    private Task<HttpResponseMessage> RemoveAsync(string path, string? body)
    {
        var request = new HttpRequestMessage(HttpMethod.Delete, path) { Content = body is null ? null : JsonText.Content(body) };
        return world.Server.Client.SendAsync(request, Token);
    }
}
