using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Asks every running turn now and then to write down how far it got, so that a crash costs no more text than was said since.</summary>
internal sealed class TurnCheckpoints(TurnHost host, ServerSettings settings, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.Turns.CheckpointTime, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var run in host.Running) run.AskForCheckpoint();
        }
    }
}
