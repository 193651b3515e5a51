using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>One running tool: what it may emit while it runs, and how its end becomes a result. Nothing it does afterwards is heard.</summary>
internal sealed class ToolInvocation(StepCall call, TurnState state, TurnSpan span, TimeProvider clock, Action<TurnEvent> emit)
{
    private const int MaxCustomEvents = 20;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);
    private static readonly JsonElement Null = JsonText.TryParse("null")!.Value;
    private readonly Lock _lock = new();
    private int _customEvents;
    private bool _ended;

    public async Task<ToolResult> RunAsync(CancellationToken stop)
    {
        var result = await EndAsync(stop);
        lock (_lock) _ended = true;
        return call.Challenge is { } challenge ? ToolResult.AuthRequired(challenge) : result;
    }

    private async Task<ToolResult> EndAsync(CancellationToken stop)
    {
        // A task of its own, left behind on a stop: a tool that ignores its token, or blocks, must not hold the turn.
        var run = Task.Run(() => call.Tool!.Function.InvokeAsync(Arguments(), stop).AsTask(), CancellationToken.None);
        try
        {
            return ToolResult.Of(await run.WaitAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (call.Tool!.Settles) await ((Task)run).WaitAsync(Settling, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return ToolResult.Failed(ToolErrors.Cancelled, "The turn was stopped.");
        }
        catch (OperationCanceledException)
        {
            return ToolResult.Failed(ToolErrors.Timeout, "The tool did not answer in time.");
        }
        catch (ToolException fault)
        {
            return ToolResult.Failed(fault.Code, fault.Detail);
        }
        catch (Exception fault)
        {
            state.ToolFaulted?.Invoke(call.Call.Name, fault);
            return ToolResult.Failed(ToolErrors.Failed, "The tool failed.");
        }
    }

    private AIFunctionArguments Arguments()
    {
        var arguments = new AIFunctionArguments();
        foreach (var property in call.Arguments!.Value.EnumerateObject()) arguments[property.Name] = property.Value;
        new ToolContext
        {
            Caller = state.Caller,
            SpanId = span.Id,
            AddSpan = AddSpan,
            AddUsage = AddUsage,
            ToolCallId = call.Call.Id,
            EmitCustom = EmitCustom,
            EmitClientEvent = (kind, payload) => Emit(new ClientEvent(kind, Kept(payload))),
            Challenge = Challenge,
            ProposeProfileSwitch = Propose,
        }.AttachTo(arguments);
        return arguments;
    }

    private void AddSpan(TurnSpan happened)
    {
        lock (_lock)
        {
            if (!_ended) state.Add(happened);
        }
    }

    private void AddUsage(ModelUsage usage, decimal? costUsd)
    {
        lock (_lock)
        {
            if (!_ended) state.Add(usage, costUsd);
        }
    }

    private void EmitCustom(string kind, JsonElement payload)
    {
        lock (_lock)
        {
            if (_customEvents++ < MaxCustomEvents) Emit(new CustomEvent(kind, Kept(payload), call.Call.Id));
        }
    }

    // The tool may dispose the document the payload is part of.
    private static JsonElement Kept(JsonElement payload) => payload.ValueKind == JsonValueKind.Undefined ? Null : payload.Clone();

    private void Challenge(AuthChallenge challenge)
    {
        lock (_lock)
        {
            if (_ended || call.Challenge is not null) return;
            call.Challenge = challenge;
            Emit(new AuthChallengeEvent(call.Call.Id, call.Call.Name, challenge));
        }
    }

    private void Propose(string target, string reason)
    {
        lock (_lock)
        {
            if (!_ended) call.Proposal ??= new(target, reason);
        }
    }

    private void Emit(TurnEvent happened)
    {
        lock (_lock)
        {
            if (!_ended) emit(happened);
        }
    }
}
