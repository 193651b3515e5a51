using System.Globalization;

namespace Flapjack.Server.Tests.Processes;

/// <summary>How long a test goes on: short in every run of all tests, as long as asked by <c>bin/endure</c>.</summary>
internal static class Endurance
{
    public static int Rounds(int inShort) => Number("FLAPJACK_ENDURE_ROUNDS") ?? inShort;

    public static int Clients(int inShort) => Number("FLAPJACK_ENDURE_CLIENTS") ?? inShort;

    /// <summary>Asked for by name, so the machine has nothing else to do.</summary>
    public static bool IsLong => Number("FLAPJACK_ENDURE_ROUNDS") is not null;

    public static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>Opens when enough streams are under way.</summary>
internal sealed class Begun(int count)
{
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = count;

    public void Count()
    {
        if (Interlocked.Decrement(ref _left) == 0) _all.SetResult();
    }

    public Task WaitAsync() => _all.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
}
