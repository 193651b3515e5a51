using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Mvc;

namespace Flapjack.Server.OpenAICompat.Chat;

internal static class ChatEndpoints
{
    /// <summary>Key of what repeats an answer in this protocol.</summary>
    public const string Protocol = "chat.completions";

    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapPost("/chat/completions", Complete).WithName("createChatCompletion").Access(Scopes.ThreadsWrite, Role.Member)
            .AnswersWithTurn(Protocol).WithMetadata(new BodyLimit(BodyLimit.Messages)).Produces<ChatCompletion>(200, "application/json", "text/event-stream");

    /// <summary>Answers a conversation, in one piece or as a stream of chunks. Without a thread it is held in a hidden one, which the header <c>X-Flapjack-Thread</c> of the answer names.</summary>
    private static async Task Complete([FromHeader(Name = CompatTurns.ThreadHeader)] string? thread, JsonBody<ChatCompletionRequest> body, ClientConnection client, CompatTurns turns)
    {
        var opened = await turns.OpenAsync(ChatRequestReader.Read(body.Value, thread), client);
        await CompatAnswer.SendAsync(client, opened, new ChatForm(body.Value));
    }
}
