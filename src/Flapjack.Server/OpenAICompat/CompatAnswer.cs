using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat;

/// <summary>How one protocol gives an answer, for one request.</summary>
internal interface IAnswerForm
{
    /// <summary>True when the client wants a stream.</summary>
    bool Streams { get; }

    IEventTranslation Translate(LiveTurn live);

    /// <summary>The answer in one piece, to be written as JSON.</summary>
    object Whole(AnswerSoFar answer);
}

/// <summary>Gives the answer of a turn in another protocol.</summary>
internal static class CompatAnswer
{
    /// <summary>Sends the answer of a turn this request opened. A turn that fails before it said anything is an ordinary error answer, also where a stream was asked for.</summary>
    public static async Task SendAsync(ClientConnection client, OpenedTurn opened, IAnswerForm form)
    {
        // Held from the first look to the last byte: a turn without a reader is stopped.
        using var reading = opened;
        if (opened.Stream) await client.WaitForSecondAsync(opened.Live);
        else await opened.Live.Ended.WaitAsync(client.Left);
        await SendAsync(client, opened.Live, form, null);
    }

    /// <summary>Sends the events of a turn, whether it runs or has ended.</summary>
    public static async Task SendAsync(ClientConnection client, LiveTurn live, IAnswerForm form, Guid? listener)
    {
        if (live.At(1) is { Type: "error" } failed)
        {
            var answer = new AnswerSoFar(live);
            answer.Take(failed.Type, failed.Data);
            throw answer.Failure!;
        }
        if (form.Streams)
        {
            await client.SendAsync(new TranslatedEvents(live, form.Translate(live)), listener);
            return;
        }
        var whole = AnswerSoFar.Of(live);
        if (!whole.IsWhole) throw whole.Failure ?? TurnAnswer.TakenOver();
        await client.SendJsonAsync(json => System.Text.Json.JsonSerializer.Serialize(json, form.Whole(whole), WireJson.Responses));
    }
}

/// <summary>A request that was made before, and how its answer is given.</summary>
internal sealed record RepeatedRequest(CompatRequest Request, IAnswerForm Form);

/// <summary>Gives an answer again to a request that repeats the one which opened its stream.</summary>
internal sealed class CompatReplay(TurnReplay turns, CallerContext access, Func<ReadOnlyMemory<byte>, ClientConnection, RepeatedRequest> read) : IIdempotentReplay
{
    public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
    {
        var (request, form) = read(body, client);
        using var found = await turns.FindAsync(turnId, request.Opens, client.Left);
        if (found?.Live is not { } live || !form.Streams && !await turns.IsOverAsync(live, client.Left)) return false;
        client.SetHeader(CompatTurns.ThreadHeader, live.ThreadId.ToString());
        await CompatAnswer.SendAsync(client, live, form, access.Credential);
        return true;
    }
}
