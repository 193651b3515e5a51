using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.OpenAICompat.Responses;

internal static class ResponsesEndpoints
{
    /// <summary>Key of what repeats an answer in this protocol.</summary>
    public const string Protocol = "responses";

    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapPost("/responses", Create).WithName("createResponse").Access(Scopes.ThreadsWrite, Role.Member)
            .AnswersWithTurn(Protocol).WithMetadata(new BodyLimit(BodyLimit.Messages)).Produces<ResponseObject>(200, "application/json", "text/event-stream");

    /// <summary>Answers an input, in one piece or as a stream of events. The thread is kept for later responses unless <c>store</c> is false.</summary>
    private static async Task Create(JsonBody<CreateResponseRequest> body, ClientConnection client, CompatTurns turns)
    {
        var request = ResponseRequestReader.Read(body.Value);
        var opened = await turns.OpenAsync(request, client);
        try
        {
            await CompatAnswer.SendAsync(client, opened, new ResponseForm(body.Value));
        }
        finally
        {
            if (request.HiddenFor is not null) await turns.DropAsync(opened);
        }
    }
}
