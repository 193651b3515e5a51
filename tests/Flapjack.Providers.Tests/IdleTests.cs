using Flapjack.Providers.Wire;

namespace Flapjack.Providers.Tests;

public sealed class IdleTests
{
    private readonly ManualTime time = new();

    [Fact]
    public async Task Every_read_gives_the_provider_its_full_patience_again()
    {
        using var watch = new IdleWatch(time, TimeSpan.FromSeconds(120), CancellationToken.None);
        await using var stream = new GuardedStream(new MemoryStream("data: 1\n\n"u8.ToArray()), watch, new());
        for (var read = 0; read < 5; read++)
        {
            time.Advance(TimeSpan.FromSeconds(100));
            await stream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        watch.Token.IsCancellationRequested.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(120));
        watch.Token.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void After_the_end_marker_no_read_prolongs_the_wait()
    {
        using var watch = new IdleWatch(time, TimeSpan.FromSeconds(120), CancellationToken.None);
        watch.CloseWithin(TimeSpan.FromSeconds(1));
        watch.Renew();
        time.Advance(TimeSpan.FromSeconds(1));
        watch.Token.IsCancellationRequested.ShouldBeTrue();
    }
}
