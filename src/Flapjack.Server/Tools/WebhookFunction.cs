using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Tools;

/// <summary>A tool that an application's endpoint runs, as a turn calls it.</summary>
internal sealed class WebhookFunction(string name, string description, JsonElement parameters, WebhookTarget target, WebhookCall call) : AIFunction
{
    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema => parameters;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => await call.RunAsync(target, name, arguments, cancellationToken);
}
