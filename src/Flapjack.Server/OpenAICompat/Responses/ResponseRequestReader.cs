using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>Checks a request of the Responses API.</summary>
internal static class ResponseRequestReader
{
    private const string IdPrefix = "resp_";

    public static string IdOf(Guid turnId) => $"{IdPrefix}{turnId:N}";

    public static CompatRequest Read(CreateResponseRequest request)
    {
        var errors = new FieldErrors();
        errors.Required("model", request.Model.Value, 300);
        if (request.Background.Value == true) errors.Add("background", "is not supported");
        var previous = TurnOf(request.PreviousResponseId.Value, errors);
        var store = request.Store.Value ?? true;
        if (previous is not null && !store) errors.Add("store", "must be true together with previous_response_id, whose thread is kept");
        var conversation = ResponseItems.Read(request, previous is not null, errors);
        var options = OptionsOf(request, errors);
        errors.ThrowIfAny();
        return new()
        {
            Model = request.Model.Value!,
            Conversation = conversation,
            ThreadId = null,
            PreviousTurnId = previous,
            Options = options,
            BringsTools = request.Tools.IsSet,
            Stream = request.Stream.Value ?? false,
            HiddenFor = store ? null : ExpiredThreads.Lifetime,
        };
    }

    private static Guid? TurnOf(string? id, FieldErrors errors)
    {
        if (id is null) return null;
        if (id.StartsWith(IdPrefix, StringComparison.Ordinal) && Guid.TryParseExact(id.AsSpan(IdPrefix.Length), "N", out var turn)) return turn;
        errors.Add("previous_response_id", "is not the id of a response");
        return null;
    }

    private static TurnOptions OptionsOf(CreateResponseRequest request, FieldErrors errors)
    {
        errors.Range("temperature", request.Temperature.Value, 0, 2);
        errors.Range("max_output_tokens", request.MaxOutputTokens.Value, 1, int.MaxValue);
        errors.Text("user", request.User.Value, 255);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        return new()
        {
            SenderId = request.User.Value,
            Temperature = request.Temperature.Value,
            MaxOutputTokens = request.MaxOutputTokens.Value,
            Format = FormatReader.Read("text.format", request.Text.Value?.Format.Value, null, errors),
            Tools = ToolsOf(request.Tools.Value, errors).WhenAllowed(request.ToolChoice.Value, errors),
            Metadata = request.Metadata.Value is { ValueKind: System.Text.Json.JsonValueKind.Object } metadata ? metadata : null,
        };
    }

    private static IReadOnlyList<ClientTool> ToolsOf(List<ResponseToolRequest?>? tools, FieldErrors errors)
    {
        var list = new ClientToolList("tools", errors);
        for (var i = 0; i < tools?.Count; i++)
        {
            CompatFields.RequireFunction($"tools[{i}]", tools[i]?.Type.Value);
            list.Add($"tools[{i}]", tools[i]!.Name.Value, tools[i]!.Description.Value, tools[i]!.Parameters.Value);
        }
        return list.Tools;
    }
}
