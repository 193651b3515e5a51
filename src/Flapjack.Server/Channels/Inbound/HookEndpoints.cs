using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>Where providers send the messages of channels. No credential: the token in the path finds the channel, the provider's own signature proves who sends.</summary>
internal static class HookEndpoints
{
    private const long MaxBody = 1024 * 1024;

    public static void Map(IEndpointRouteBuilder app)
    {
        // Counted by the handlers, per channel: all messages of a provider come from the same few addresses.
        var hooks = app.MapGroup("/api/hooks/channels").WithTags("channels").From("chosen").Public().Uncounted();
        hooks.MapPost("/{token}", Take).WithName("postChannelHook").Accepts<System.Text.Json.JsonElement>("application/json", "*/*");
        hooks.MapGet("/{token}", Greet).WithName("getChannelHook");
    }

    /// <summary>Takes messages of a provider. 200 once they are stored; the answer follows through the provider. 401 without the provider's signature.</summary>
    private static async Task<Results<Ok, ContentHttpResult>> Take(string token, HttpContext http, ChannelDoor door, TimeProvider time, CancellationToken cancellationToken)
    {
        var channel = await OpenAsync(token, http, door, cancellationToken);
        var body = await RequestBytes.ReadAsync(http.Request, MaxBody, cancellationToken);
        return AnswerOf(await door.TakeAsync(channel, RequestOf(http, body, time)));
    }

    /// <summary>Answers the question of a provider whether the address is right.</summary>
    private static async Task<Results<Ok, ContentHttpResult>> Greet(string token, HttpContext http, ChannelDoor door, TimeProvider time, CancellationToken cancellationToken)
    {
        var channel = await OpenAsync(token, http, door, cancellationToken);
        return AnswerOf(await door.GreetAsync(channel, RequestOf(http, default, time)));
    }

    private static async Task<OpenedChannel> OpenAsync(string token, HttpContext http, ChannelDoor door, CancellationToken cancellationToken)
    {
        var limits = http.RequestServices.GetRequiredService<VisitorLimits>();
        if (await door.FindAsync(token, cancellationToken) is not { } channel)
        {
            // Whoever guesses is counted by address like every stranger.
            limits.CountRequest(http);
            throw ApiException.NotFound("Channel");
        }
        limits.CountHook(http, channel.Row.Id);
        return channel;
    }

    private static HookRequest RequestOf(HttpContext http, ReadOnlyMemory<byte> body, TimeProvider time) =>
        new(HttpMethods.IsGet(http.Request.Method), body, name => http.Request.Headers[name], name => http.Request.Query[name], time.GetUtcNow());

    private static Results<Ok, ContentHttpResult> AnswerOf(HookAnswer? answer) => answer is null ? TypedResults.Ok() : TypedResults.Text(answer.Text, answer.MediaType);
}
