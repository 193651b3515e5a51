using System.Collections.Concurrent;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Server-side tools whose behaviour tests control.</summary>
internal sealed class TestTools : IToolSource
{
    private static readonly JsonElement Anything = JsonElement.Parse("""{"type":"object"}""");
    private static readonly JsonElement City = JsonElement.Parse("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""");
    private readonly ConcurrentDictionary<string, HoldPoint> _holds = new();
    private readonly IReadOnlyList<TurnTool> _tools;

    public TestTools() => _tools =
    [
        Tool("echo", Anything, (arguments, _) => Task.FromResult<object?>(JsonSerializer.SerializeToElement(arguments.ToDictionary(a => a.Key, a => a.Value)))),
        Tool("words", Anything, (_, _) => Task.FromResult<object?>("plain words")),
        Tool("weather", City, (_, _) => Task.FromResult<object?>("""{"celsius":4}""")),
        Tool("boom", Anything, (_, _) => throw new InvalidOperationException("a secret of the server")),
        Tool("gone", Anything, (_, _) => throw new ToolException("TOOL_HTTP_404", "not there")),
        Tool("large", Anything, (_, _) => Task.FromResult<object?>(JsonSerializer.SerializeToElement(new { text = new string('x', 70_000) }))),
        Tool("huge", Anything, (_, _) => Task.FromResult<object?>(new string('y', 150_000))),
        Tool("news", Anything, EmitAsync),
        Tool("locked", Anything, ChallengeAsync),
        Tool("hold", Anything, (arguments, stop) => Hold(((JsonElement)arguments["key"]!).GetString()!).RunAsync(stop)),
        Tool("lookup", Anything, (arguments, stop) => Hold(((JsonElement)arguments["key"]!).GetString()!).RunAsync(stop, ToolContext.Of(arguments).ToolCallId)) with { Idempotent = true },
        Tool("deaf", Anything, (arguments, _) => Hold(((JsonElement)arguments["key"]!).GetString()!).RunAsync(CancellationToken.None)),
    ];

    public ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken) => new(_tools);

    /// <summary>Where calls of <c>hold</c> and <c>deaf</c> with this key wait.</summary>
    public HoldPoint Hold(string key) => _holds.GetOrAdd(key, static _ => new());

    private static async Task<object?> EmitAsync(AIFunctionArguments arguments, CancellationToken stop)
    {
        var context = ToolContext.Of(arguments);
        for (var i = 1; i <= 25; i++) context.EmitCustom("headline", JsonSerializer.SerializeToElement(new { number = i }));
        context.EmitClientEvent("tool_progress", JsonSerializer.SerializeToElement(new { progress = 1 }));
        await Task.CompletedTask;
        return "told";
    }

    private static Task<object?> ChallengeAsync(AIFunctionArguments arguments, CancellationToken stop)
    {
        ToolContext.Of(arguments).Challenge(new("GitHub", "https://example.com/authorise", "to read your issues"));
        return Task.FromResult<object?>("never seen");
    }

    private static TurnTool Tool(string name, JsonElement schema, Func<AIFunctionArguments, CancellationToken, Task<object?>> run) => new(new Function(name, schema, run));

    private sealed class Function(string name, JsonElement schema, Func<AIFunctionArguments, CancellationToken, Task<object?>> run) : AIFunction
    {
        public override string Name => name;

        public override JsonElement JsonSchema => schema;

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => await run(arguments, cancellationToken);
    }
}

/// <summary>A tool call that stands still until a test lets it go.</summary>
internal sealed class HoldPoint
{
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The call has begun.</summary>
    public Task Entered => _entered.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    /// <summary>Ids of the calls that came here.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>The call was told to stop.</summary>
    public Task Cancelled => _cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    public void Release(string result = "let go") => _result.TrySetResult(result);

    public async Task<object?> RunAsync(CancellationToken stop, string callId = "")
    {
        Calls.Enqueue(callId);
        _entered.TrySetResult();
        try
        {
            return await _result.Task.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            _cancelled.TrySetResult();
            throw;
        }
    }
}
