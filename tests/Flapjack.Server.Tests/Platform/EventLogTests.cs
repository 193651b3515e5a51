using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Tests.Platform;

public sealed class EventLogTests
{
    [Fact]
    public void An_ended_log_keeps_nothing_of_the_work_behind_it()
    {
        var log = new EventLog(Guid.CreateVersion7(), 1) { Abandoned = () => Assert.Fail("it has ended") };
        log.AddReader();
        log.End(DateTime.UnixEpoch);
        log.RemoveReader();
        log.Abandoned.ShouldBeNull();
    }
}
