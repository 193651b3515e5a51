using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>Who and where a turn runs for. Ids are null where there is none (a runner step has no thread).</summary>
public sealed record ToolCaller(Guid OrgId, Guid? AgentId, Guid? ThreadId, Guid? UserMessageId, string? UserId)
{
    /// <summary>The turn, which is also the id of its trace; null outside of turns.</summary>
    public Guid? TurnId { get; init; }

    /// <summary>Resources the conversation is bound to, a JSON array.</summary>
    public string Bindings { get; init; } = "[]";
}

/// <summary>What a running tool may do besides returning a value. It reaches the tool as <see cref="AIFunctionArguments.Context"/> and never leads to the service provider.</summary>
public sealed class ToolContext
{
    private static readonly object Key = typeof(ToolContext);

    /// <summary>Who the turn runs for.</summary>
    public required ToolCaller Caller { get; init; }

    /// <summary>The call's span; spans under it name it as their parent.</summary>
    public Guid SpanId { get; init; }

    /// <summary>Adds a finished span to the turn's trace. From any thread, while the call runs.</summary>
    public Action<TurnSpan> AddSpan { get; init; } = static _ => { };

    /// <summary>Books tokens and cost (null = not priced) that the call used up elsewhere on the turn. From any thread, while the call runs.</summary>
    public Action<ModelUsage, decimal?> AddUsage { get; init; } = static (_, _) => { };

    /// <summary>Id of this call, the same over retries; receivers may de-duplicate by it.</summary>
    public required string ToolCallId { get; init; }

    /// <summary>Emits a <c>custom</c> event tied to this call. After the twentieth, events are dropped.</summary>
    public required Action<string, JsonElement> EmitCustom { get; init; }

    /// <summary>Emits a <c>client_event</c>.</summary>
    public required Action<string, JsonElement> EmitClientEvent { get; init; }

    /// <summary>Asks the user to authorise. The call's result becomes <c>AUTH_REQUIRED</c> and the turn ends after this step.</summary>
    public required Action<AuthChallenge> Challenge { get; init; }

    /// <summary>Proposes another tool profile (target, reason); the event follows the call's result. Nothing happens when the call fails.</summary>
    public Action<string, string> ProposeProfileSwitch { get; init; } = static (_, _) => { };

    /// <summary>Lets the context travel with the arguments of a call.</summary>
    public void AttachTo(AIFunctionArguments arguments) => (arguments.Context ??= new Dictionary<object, object?>())[Key] = this;

    /// <summary>Reads the context of a running call. Throws when the function was not called by a turn.</summary>
    public static ToolContext Of(AIFunctionArguments arguments) =>
        arguments.Context?.TryGetValue(Key, out var value) == true && value is ToolContext context
            ? context
            : throw new InvalidOperationException("This function can only be called by a turn.");
}

/// <summary>Where the user has to authorise before a tool works.</summary>
/// <param name="Provider">Whose authorisation it is, as the user knows it.</param>
/// <param name="RedirectUrl">https address to open.</param>
/// <param name="Description">Why, in a sentence; optional.</param>
public sealed record AuthChallenge(string Provider, string RedirectUrl, string? Description = null);
