using Flapjack.Server.OpenAICompat.Chat;
using Flapjack.Server.OpenAICompat.Responses;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.OpenAICompat;

internal static class OpenAICompatFeature
{
    public static IServiceCollection AddOpenAICompat(this IServiceCollection services)
    {
        services.AddSingleton<IErrorForm, OpenAIErrorForm>();
        services.AddScoped<ModelTargets>();
        services.AddScoped<CompatTurns>();
        services.AddReplay<ChatCompletionRequest>(ChatEndpoints.Protocol, (request, client) => new(ChatRequestReader.Read(request, client.Header(CompatTurns.ThreadHeader)), new ChatForm(request)));
        services.AddReplay<CreateResponseRequest>(ResponsesEndpoints.Protocol, (request, _) => new(ResponseRequestReader.Read(request), new ResponseForm(request)));
        return services;
    }

    public static void MapOpenAICompat(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("openai").From("ext");
        ModelListEndpoints.Map(v1);
        ChatEndpoints.Map(v1);
        ResponsesEndpoints.Map(v1);
    }

    private static void AddReplay<T>(this IServiceCollection services, string protocol, Func<T, ClientConnection, RepeatedRequest> read) where T : class, new() =>
        services.AddKeyedScoped<IIdempotentReplay>(protocol, (provider, _) => new CompatReplay(
            provider.GetRequiredService<TurnReplay>(), provider.GetRequiredService<CallerContext>(), (body, client) => read(RequestBytes.Parse<T>(body.Span), client)));
}
