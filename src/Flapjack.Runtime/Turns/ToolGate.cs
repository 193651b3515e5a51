using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Schemas;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Decides what becomes of each call a model makes. It gives every call an id no other call of the prompt has: providers refuse histories with equal ids.</summary>
internal sealed class ToolGate(TurnState state, TimeProvider clock)
{
    private const int MaxNameLength = 64;
    private HashSet<string>? _ids;

    /// <summary>Some call came after the turn had used up its tool calls.</summary>
    public bool LimitReached { get; private set; }

    public List<StepCall> Admit(List<FunctionCallContent> calls)
    {
        var admitted = new List<StepCall>(calls.Count);
        foreach (var call in calls) admitted.Add(Admit(call));
        return admitted;
    }

    /// <summary>What becomes of the calls of a step that a crash interrupted: those with a result keep it, idempotent ones are made again, of the others nobody knows what they did.</summary>
    public List<StepCall> Readmit(InterruptedStep interrupted)
    {
        var known = interrupted.Results.ToDictionary(static result => result.CallId);
        return [.. interrupted.Step.Calls.Select(call => Readmit(call, known.GetValueOrDefault(call.Id)))];
    }

    private StepCall Readmit(TurnCall call, TurnCallResult? result)
    {
        if (result is not null) return new(call, null, null) { Result = ToolResult.Recorded(result), Finished = true, Journalled = true };
        if (call.ClientSide) return new(call, null, null);
        var tool = state.Tools.Find(call.Name);
        var arguments = JsonText.TryParse(call.Arguments) is { ValueKind: JsonValueKind.Object } json ? json : (JsonElement?)null;
        if (tool is { Idempotent: true } && arguments is not null && state.Tools.Allows(tool)) return new(call with { Idempotent = true }, tool, arguments);
        return new(call, tool, arguments) { Result = ToolResult.Failed(ToolErrors.OutcomeUnknown, "The server stopped between making this call and storing its result."), Refused = true };
    }

    private StepCall Admit(FunctionCallContent call)
    {
        var text = ToolCallArguments.TextOf(call);
        if (state.Tools.IsClientSide(call.Name)) return new(new(OwnId(call.CallId), call.Name, text, true), null, null);

        var tool = state.Tools.Find(call.Name);
        var arguments = JsonText.TryParse(text) is { ValueKind: JsonValueKind.Object } json ? json : (JsonElement?)null;
        var refusal = Refusal(tool, arguments) ?? Spend();
        var name = tool is null ? PlainName(call.Name) : call.Name;
        return new(new(OwnId(call.CallId), name, text, false, tool?.Idempotent ?? false), tool, arguments) { Result = refusal, Refused = refusal is not null };
    }

    private ToolResult? Refusal(TurnTool? tool, JsonElement? arguments)
    {
        var refusal = tool is null ? ToolResult.Failed(ToolErrors.UnknownTool, "There is no tool of this name.")
            : !state.Tools.Allows(tool) ? ToolResult.Failed(ToolErrors.NotAllowed, "This tool is not available now.")
            : Mistakes(tool, arguments) is { } detail ? ToolResult.Failed(ToolErrors.InvalidArguments, detail) : null;
        // Refused calls count too, or a model that keeps calling wrongly would never be ended.
        if (refusal is not null) Spend();
        return refusal;
    }

    private ToolResult? Spend()
    {
        if (state.ToolCallsUsed < state.MaxToolCalls)
        {
            state.ToolCallsUsed++;
            return null;
        }
        LimitReached = true;
        return ToolResult.Failed(ToolErrors.LimitReached, $"At most {state.MaxToolCalls} tool calls are allowed. Answer with what is known.");
    }

    private static string? Mistakes(TurnTool tool, JsonElement? arguments)
    {
        if (arguments is not { } json) return "The arguments are not a JSON object.";
        var result = JsonSchema.Of(tool.Function).Validate(json);
        if (result.IsValid) return null;
        var detail = new StringBuilder();
        foreach (var error in result.Errors)
        {
            if (detail.Length > 0) detail.Append("; ");
            detail.Append(error.Path.Length == 0 ? "(root)" : error.Path).Append(": ").Append(error.Message);
        }
        return detail.ToString();
    }

    private string OwnId(string id)
    {
        _ids ??= UsedIds();
        if (string.IsNullOrWhiteSpace(id) || !_ids.Add(id))
        {
            id = $"call_{Guid.CreateVersion7(clock.GetUtcNow()):N}";
            _ids.Add(id);
        }
        return id;
    }

    private HashSet<string> UsedIds()
    {
        var ids = new HashSet<string>(state.TakenCallIds ?? Enumerable.Empty<string>(), StringComparer.Ordinal);
        foreach (var message in state.Prompt)
        {
            foreach (var content in message.Contents)
            {
                if (content is FunctionCallContent call) ids.Add(call.CallId);
            }
        }
        return ids;
    }

    // An invented name goes back to the provider with the history, which must accept it.
    private static string PlainName(string name)
    {
        if (name.Length == 0) return "unknown";
        var plain = name.Length > MaxNameLength ? name[..MaxNameLength] : name;
        return string.Create(plain.Length, plain, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++) target[i] = char.IsAsciiLetterOrDigit(source[i]) || source[i] is '_' or '-' ? source[i] : '_';
        });
    }
}
