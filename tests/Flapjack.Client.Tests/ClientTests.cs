using System.Text;
using System.Text.Json.Nodes;

namespace Flapjack.Client.Tests;

/// <summary>What the client's methods do when all goes well.</summary>
public sealed class ClientTests(ClientWorld world) : IClassFixture<ClientWorld>
{
    private readonly FlapjackClient _client = world.Client;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Agents_are_made_changed_listed_and_removed()
    {
        var made = await _client.CreateAgentAsync(new() { Name = "Grace", Description = "Compiles", MaxToolCalls = 3 }, Token);
        var changed = await _client.UpdateAgentAsync(made.Id, new() { Name = "Hopper", Extra = FlapjackRequest.Clearing("description") }, Token);
        (changed.Name, changed.Description, changed.MaxToolCalls).ShouldBe(("Hopper", null, 3));
        (await _client.ListAgentsAsync(q: "Hopper", cancellationToken: Token)).ShouldContain(agent => agent.Id == made.Id);
        (await _client.UpdateAgentMultiplayerAsync(made.Id, new() { Enabled = true }, Token)).Enabled.ShouldBeTrue();
        await _client.DeleteAgentAsync(made.Id, Token);
        (await Should.ThrowAsync<FlapjackException>(() => _client.GetAgentAsync(made.Id, Token))).Code.ShouldBe("NOT_FOUND");
    }

    [Fact]
    public async Task A_message_is_answered_as_events_and_stored()
    {
        var thread = await world.NewThreadAsync();
        var (seen, text) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/count 5", SenderName = "Bo" }));
        seen[0].ShouldBeOfType<MetaEvent>().ThreadId.ShouldBe(thread);
        text.ShouldBe("1 2 3 4 5");
        seen[^1].ShouldBeOfType<DoneEvent>().Content.ShouldBe(text);
        var page = await _client.ListMessagesAsync(thread, cancellationToken: Token);
        page.Messages.Select(message => message.SenderName).ShouldBe(["Bo", null]);
        page.Messages[1].Usage.ShouldNotBeNull().OutputTokens.ShouldBe(5);
    }

    [Fact]
    public async Task Tools_of_the_client_are_run_and_their_faults_are_told()
    {
        var thread = await world.NewThreadAsync();
        var options = new TurnOptions
        {
            OnToolCall = (call, _) => call.ArgumentsAs<JsonObject>()!["city"]!.GetValue<string>() == "Oslo"
                ? Task.FromResult<JsonNode?>(new JsonObject { ["celsius"] = 4 })
                : throw new InvalidOperationException("no such city"),
        };
        var message = new MessageRequest { Content = "/tool weather {\"city\":\"Oslo\"}\n/tool weather {\"city\":\"Nowhere\"}", Tools = [ClientWorld.Tool("weather")] };
        var (seen, _) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, message, options));
        seen[^1].ShouldBeOfType<DoneEvent>();
        seen.OfType<RequiresActionEvent>().Single().ToolCalls.Count.ShouldBe(2);
        var results = (await _client.ListMessagesAsync(thread, include: "tools", cancellationToken: Token)).Messages.Where(row => row.Role == "tool").ToList();
        results.Select(row => row.IsError).ShouldBe([false, true]);
        results.Select(row => row.Content).ShouldBe(["{\"celsius\":4}", "no such city"]);
    }

    [Fact]
    public async Task Without_a_handler_the_results_can_be_brought_by_hand()
    {
        var thread = await world.NewThreadAsync();
        var (asked, _) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/tool look", Tools = [ClientWorld.Tool("look")] }));
        var call = asked[^1].ShouldBeOfType<RequiresActionEvent>().ToolCalls.Single();
        var (answered, _) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { ToolResults = [new() { ToolCallId = call.Id, Result = "4 °C" }] }));
        answered[^1].ShouldBeOfType<DoneEvent>();
    }

    [Fact]
    public async Task Leaving_stops_the_turn()
    {
        var thread = await world.NewThreadAsync();
        await foreach (var @event in _client.SendMessageAsync(thread, new() { Content = "/count 10000 20" }, cancellationToken: Token))
        {
            if (@event is TokenEvent) break;
        }
        (await _client.GetThreadAsync(thread, Token)).ActiveTurnId.ShouldBeNull();
        using var leaving = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var @event in _client.SendMessageAsync(thread, new() { Content = "/count 10000 20" }, cancellationToken: leaving.Token))
            {
                if (@event is TokenEvent) await leaving.CancelAsync();
            }
        });
        (await _client.GetThreadAsync(thread, Token)).ActiveTurnId.ShouldBeNull();
    }

    [Fact]
    public async Task A_turn_is_stopped_from_elsewhere_and_told_again()
    {
        var thread = await world.NewThreadAsync();
        (await ClientWorld.FollowAsync(_client.AttachStreamAsync(thread))).Seen.ShouldBeEmpty();
        var (seen, _) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/count 10000 20" }), @event => @event is MetaEvent ? _client.StopThreadAsync(thread, Token) : Task.CompletedTask);
        seen[^1].ShouldBeOfType<DoneEvent>().Stopped.ShouldBeTrue();
        var (again, _) = await ClientWorld.FollowAsync(_client.AttachStreamAsync(thread, seen[0].Id));
        again.Select(@event => @event.Id).ShouldBe(seen.Skip(1).Select(@event => @event.Id));
    }

    [Fact]
    public async Task Files_are_uploaded_sent_read_and_forked_along()
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes("four"));
        var file = await _client.UploadFileAsync(content, "note.txt", cancellationToken: Token);
        Encoding.UTF8.GetString(await _client.GetFileContentAsync(file.Id, Token)).ShouldBe("four");
        var thread = await world.NewThreadAsync();
        await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/json {\"n\":4}", Attachments = [new() { Type = "file", FileId = file.Id }], ResponseFormat = new() { ["type"] = "json" } }),
            @event => { if (@event is DoneEvent done) done.Output!.Value.GetProperty("n").GetInt32().ShouldBe(4); return Task.CompletedTask; });
        var fork = await _client.ForkThreadAsync(thread, new() { Title = "Other way" }, Token);
        (await _client.ListMessagesAsync(fork.Id, cancellationToken: Token)).Messages[0].Attachments.Single().Name.ShouldBe("note.txt");
        (await Should.ThrowAsync<FlapjackException>(() => _client.DeleteFileAsync(file.Id, Token))).Code.ShouldBe("CONFLICT");
        (await _client.ListThreadsAsync(fork.AgentId, cancellationToken: Token)).Threads.ShouldContain(found => found.Id == fork.Id);
        (await _client.UpdateThreadAsync(fork.Id, new() { Status = "archived" }, Token)).Status.ShouldBe("archived");
        await _client.DeleteThreadAsync(fork.Id, Token);
    }

    [Fact]
    public async Task Participants_models_providers_logs_and_the_version()
    {
        var agent = (await _client.ListAgentsAsync(cancellationToken: Token))[0].Id;
        var room = await _client.CreateThreadAsync(new() { AgentId = agent, Kind = "multiplayer" }, Token);
        await _client.AddParticipantAsync(room.Id, new() { UserId = "bo", DisplayName = "Bo" }, Token);
        (await _client.ListParticipantsAsync(room.Id, Token)).Single().UserId.ShouldBe("bo");
        await _client.RemoveParticipantAsync(room.Id, "bo", Token);
        (await _client.ListModelsAsync(available: true, cancellationToken: Token)).ShouldContain(model => model.Id == "flapjack-offline");
        await _client.PutProviderAsync("mine", new() { Kind = "openai_compatible", BaseUrl = "https://models.example.com/v1", Models = [new() { Id = "small" }] }, Token);
        (await _client.ListProvidersAsync(cancellationToken: Token)).ShouldContain(provider => provider.Provider == "mine");
        await _client.DeleteProviderAsync("mine", Token);
        var thread = await world.NewThreadAsync();
        await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/echo hi" }));
        var trace = (await _client.ListTracesAsync(new() { ThreadId = thread }, Token)).Traces.Single();
        (await _client.GetTraceAsync(trace.Id, Token)).Spans.ShouldContain(span => span.Kind == "llm" && span.Model != null);
        var evaluation = await _client.CreateEvaluationAsync(trace.Id, new() { Name = "good", Score = 1 }, Token);
        await _client.DeleteEvaluationAsync(trace.Id, evaluation.Id, Token);
        (await _client.VersionAsync(Token)).Version.ShouldNotBeEmpty();
        (await _client.GetMeAsync(Token)).Kind.ShouldBe("key");
        (await _client.ListOrgsAsync(cancellationToken: Token)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_refusal_says_code_detail_fields_and_request_id()
    {
        var fault = await Should.ThrowAsync<FlapjackException>(() => _client.CreateAgentAsync(new() { Name = "", Temperature = 7 }, Token));
        fault.Code.ShouldBe("VALIDATION_ERROR");
        fault.Fields.Select(field => field.Field).Distinct().Order().ShouldBe(["name", "temperature"]);
        fault.RequestId.ShouldNotBeNull();
        var stranger = new FlapjackClient(world.Http, new() { GetToken = _ => new("fj_live_" + new string('0', 64)) });
        (await Should.ThrowAsync<FlapjackException>(() => stranger.ListAgentsAsync(cancellationToken: Token))).Code.ShouldBe("UNAUTHORIZED");
    }
}
