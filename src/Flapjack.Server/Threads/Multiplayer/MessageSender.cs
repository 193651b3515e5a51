using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Who wrote a message: a name for people and models, an id for the application.</summary>
internal readonly record struct MessageSender(string? Name, string? Id)
{
    /// <summary>Who the message says. Where it says nothing, a user is their account, and an application speaks for whom it spoke before in the turn.</summary>
    public static MessageSender Of(TurnOptions options, CallerContext access, TurnOptions? earlier = null)
    {
        if (access.Caller.Kind != CallerKind.User) return new(options.SenderName ?? earlier?.SenderName, options.SenderId ?? earlier?.SenderId);
        var account = access.Caller.UserId.ToString();
        // The account's name belongs to nobody else's id.
        var name = options.SenderName ?? (options.SenderId is null || options.SenderId == account ? access.Caller.UserName : null);
        return new(name, options.SenderId ?? account);
    }

    /// <summary>The agent whose answer a stored turn is at; nobody in threads that need no names.</summary>
    public static async Task<MessageSender> OfAnswerAsync(FlapjackDb db, Turn turn)
    {
        if (TurnOptions.Parse(turn.Request).Addressed is not { } addressed || turn.Leg >= addressed.Agents.Count) return default;
        var agent = addressed.Agents[turn.Leg];
        return new(await db.Agents.Where(a => a.Id == agent).Select(a => a.Name).FirstOrDefaultAsync(), agent.ToString());
    }
}
