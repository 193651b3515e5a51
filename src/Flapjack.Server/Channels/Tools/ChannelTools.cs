using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels.Tools;

/// <summary>Offers <c>channel_send</c> to turns of scheduled tasks, of agents with channels: nobody waits for their answers, so they may write to whom they have something to say.</summary>
internal sealed class ChannelTools(ChannelPost post, Databases databases) : IToolSource
{
    private const int MaxText = 100_000;

    private static readonly JsonElement Schema = JsonElement.Parse("""
        {"type":"object","properties":{"contact_id":{"type":"string","description":"Id of a contact of one of your channels."},
        "text":{"type":"string","minLength":1,"maxLength":100000,"description":"What the contact is told, in Markdown."}},"required":["contact_id","text"],"additionalProperties":false}
        """);

    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request is not { AgentId: { } agentId, Source: TurnDoors.Schedule }) return [];
        await using var db = databases.Open(request.OrgId);
        if (!await db.Channels.OfAgent(agentId).AnyAsync(c => c.Enabled, cancellationToken)) return [];
        return [new(new ServerFunction("channel_send", "Sends a message to a contact of one of your channels. It is delivered a moment later.", Schema, SendAsync), Idempotent: true)];
    }

    private async ValueTask<object?> SendAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var text = input.Text("text")!;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxText) throw new ToolException(ToolErrors.InvalidArguments, $"text: must have 1 to {MaxText} characters");
        var caller = input.Context.Caller;
        // The call's id: a call that is repeated after a crash is the same message.
        var sent = await post.SendAsync(caller.OrgId, caller.AgentId!.Value, input.Id("contact_id")!.Value, text, $"call:{caller.TurnId}:{input.Context.ToolCallId}", cancellationToken);
        return sent ? JsonSerializer.SerializeToElement(new { ok = true }) : throw new ToolException(ToolErrors.NotFound, "There is no such contact, it is blocked, or its channel is off.");
    }
}
