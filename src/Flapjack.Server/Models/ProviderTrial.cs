using Flapjack.Providers;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Egress;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Models;

/// <summary>Makes one small real call, so that its owner learns whether a provider works before an agent needs it.</summary>
internal sealed class ProviderTrial(ModelClients clients, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A cheap model of the vendor's, or the first one listed; null when there is none.</summary>
    public static string? DefaultModel(ProviderAccess provider) => provider.Kind switch
    {
        ProviderKinds.OpenAI => ModelCatalog.SummaryId,
        ProviderKinds.Anthropic => "claude-haiku-4-5",
        _ => provider.Models.Count > 0 ? provider.Models[0].Id : null,
    };

    public async Task<ProviderTestResponse> RunAsync(ModelChoice choice, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var start = time.GetTimestamp();
        try
        {
            // Reasoning models refuse very small limits.
            await clients.Open(choice).GetResponseAsync([new ChatMessage(ChatRole.User, "Answer with OK.")], new ChatOptions { MaxOutputTokens = 64 }, either.Token);
            return new() { Ok = true, LatencyMs = (long)time.GetElapsedTime(start).TotalMilliseconds };
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Failed("TIMEOUT", "The provider did not answer in time.");
        }
        catch (ModelException fault)
        {
            for (Exception? cause = fault; cause is not null; cause = cause.InnerException)
            {
                if (cause is EgressRefusedException) return Failed("ADDRESS_REFUSED", cause.Message);
            }
            return Failed(fault.Code.Replace("MODEL_", "", StringComparison.Ordinal), fault.Message);
        }
    }

    private static ProviderTestResponse Failed(string error, string detail) => new() { Ok = false, Error = error, Detail = detail };
}
