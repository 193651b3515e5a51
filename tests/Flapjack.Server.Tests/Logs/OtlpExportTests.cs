using System.Text.Json;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Logs;

public sealed class OtlpExportTests
{
    private static readonly DateTime Noon = new(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_turn_arrives_with_its_own_times_ids_and_conventional_names()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var server = await StartAsync(collector);
        var trace = Turn();
        server.Services.GetRequiredService<OtlpExport>().Export(trace);
        var spans = (await collector.ReadAsync(3)).ToDictionary(s => s.Name);
        var (root, model, tool) = (spans["invoke_agent Ada"], spans["chat gpt-5.4"], spans["execute_tool get_weather"]);
        spans.Values.ShouldAllBe(s => s.TraceId == trace.Id.ToString("N"));
        (root.ParentId, model.ParentId, tool.ParentId).ShouldBe(("", root.SpanId, root.SpanId));
        (root.Start, root.End).ShouldBe((Noon, Noon.AddSeconds(3)));
        (model.Start, model.End).ShouldBe((Noon.AddSeconds(1), Noon.AddSeconds(2)));
        (root.Kind, model.Kind, tool.Kind, tool.Status).ShouldBe((1, 3, 1, 2));
        Pick(model, "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.request.max_tokens", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens")
            .ShouldBe(["chat", "openai", "gpt-5.4", "100", "12", "5", "4"]);
        Pick(root, "gen_ai.operation.name", "gen_ai.agent.name", "gen_ai.conversation.id", "gen_ai.usage.input_tokens").ShouldBe(["invoke_agent", "Ada", trace.ThreadId.ToString()!, "12"]);
        Pick(tool, "gen_ai.operation.name", "gen_ai.tool.name", "error.type", "gen_ai.tool.call.arguments").ShouldBe(["execute_tool", "get_weather", "TOOL_TIMEOUT", """{"city":"Oslo"}"""]);
        tool.Attributes["flapjack.span.id"].ShouldBe(trace.Spans[0].Id.ToString("N")[16..]);
        model.Attributes["gen_ai.input.messages"].ShouldBe("""[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]""");
        model.Attributes["gen_ai.output.messages"].ShouldContain("\"finish_reason\":\"stop\"");
        collector.Headers.ShouldAllBe(h => h == "/v1/traces application/x-protobuf abc");
    }

    [Fact]
    public async Task A_span_that_began_in_its_parents_moment_hangs_under_it()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var server = await StartAsync(collector);
        Guid[] ids = [.. Enumerable.Range(1, 3).Select(n => new Guid($"00000000-0000-7000-8000-00000000000{n}"))];
        TurnSpan Span(int id, int? parent, string name) => new() { Id = ids[id], ParentId = parent is { } p ? ids[p] : null, Kind = "tool", Name = name, StartedAt = Noon, EndedAt = Noon };
        server.Services.GetRequiredService<OtlpExport>().Export(Turn() with { Spans = [Span(2, null, "outer"), Span(1, 2, "middle"), Span(0, 1, "inner")] });
        var spans = (await collector.ReadAsync(4)).ToDictionary(s => s.Name);
        spans["execute_tool middle"].ParentId.ShouldBe(spans["execute_tool outer"].SpanId);
        spans["execute_tool inner"].ParentId.ShouldBe(spans["execute_tool middle"].SpanId);
    }

    [Fact]
    public async Task Contents_stay_here_when_they_are_not_to_be_captured()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var server = await StartAsync(collector, s => s["Logs:CaptureContent"] = "false");
        server.Services.GetRequiredService<OtlpExport>().Export(Turn());
        var spans = await collector.ReadAsync(3);
        spans.SelectMany(s => s.Attributes.Values).ShouldAllBe(v => !v.Contains("Hello") && !v.Contains("Oslo"));
    }

    [Fact]
    public async Task What_is_queued_is_sent_before_the_server_ends()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using (var server = await StartAsync(collector)) server.Services.GetRequiredService<OtlpExport>().Export(Turn());
        (await collector.ReadAsync(3)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Without_a_collector_nothing_happens()
    {
        await using var server = await ServerFixture.StartAsync();
        server.Services.GetRequiredService<OtlpExport>().Export(Turn());
    }

    private static Task<ServerFixture> StartAsync(FakeCollector collector, Action<IDictionary<string, string?>>? more = null) => ServerFixture.StartAsync(s =>
    {
        s["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address;
        s["OTEL_EXPORTER_OTLP_HEADERS"] = "x-token=abc";
        more?.Invoke(s);
    });

    private static IEnumerable<string> Pick(CollectedSpan span, params string[] names) => names.Select(n => span.Attributes.GetValueOrDefault(n, "(absent)"));

    private static TurnTrace Turn() => new()
    {
        Id = Ids.New(), OrgId = Ids.New(), AgentId = Ids.New(), AgentName = "Ada", ThreadId = Ids.New(), UserId = "u-1", Name = "chat-turn", Model = "gpt-5.4", StartedAt = Noon, EndedAt = Noon.AddSeconds(3),
        Error = null, Usage = new(12, 5, 4), CostUsd = 0.001m, Input = Json("""{"content":"Hello"}"""), Output = Json("""{"content":"Hi"}"""),
        Spans =
        [
            new TurnSpan { Id = Ids.New(), Kind = "webhook", Name = "get_weather", StartedAt = Noon.AddSeconds(2), EndedAt = Noon.AddSeconds(3), Input = Json("""{"city":"Oslo"}"""), Error = "TOOL_TIMEOUT" },
            new TurnSpan
            {
                Id = Ids.New(), Kind = "llm", Name = "gpt-5.4", StartedAt = Noon.AddSeconds(1), EndedAt = Noon.AddSeconds(2), Input = Json("""[{"role":"user","content":"Hello"}]"""),
                Output = Json("""{"content":"Hi","tool_calls":[],"finish_reason":"stop"}"""), Model = new ModelCall("gpt-5.4", null, 100, new(12, 5, 4), 0.001m, 0),
            },
        ],
    };

    private static JsonElement Json(string json) => JsonDocument.Parse(json).RootElement;
}
