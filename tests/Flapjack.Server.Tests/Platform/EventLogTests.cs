using System.Text;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Streams;

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

    [Fact]
    public void Another_reader_that_comes_and_goes_before_the_first_one_reads_is_not_the_last()
    {
        var abandoned = false;
        var turn = new LiveTurn(Guid.CreateVersion7(), Guid.Empty, Guid.Empty) { Abandoned = () => abandoned = true };
        turn.AddReader();
        turn.RemoveReader();
        abandoned.ShouldBeFalse();
        turn.RemoveReader();
        abandoned.ShouldBeTrue();
    }

    [Fact]
    public void A_copy_holds_the_same_bytes_and_knows_the_same_events()
    {
        var id = Guid.CreateVersion7();
        var (log, copy) = (new EventLog(id, 7), new EventLog(id, 7));
        foreach (var (type, text) in new[] { ("meta", "{}"), ("token", """{"delta":"a\nb ü€😀"}"""), ("tool_result", $$"""{"result":"{{new string('x', 70_000)}}"}"""), ("done", """{"ok":true}""") })
        {
            log.Append(type, text, static (json, raw) => json.WriteRawValue(raw));
        }
        var bytes = log.Read(0, out _);
        copy.AppendCopy(bytes.Span[..log.PositionAfter(8)!.Value]);
        copy.AppendCopy(bytes.Span[log.PositionAfter(8)!.Value..]);
        copy.Read(0, out _).ToArray().ShouldBe(bytes.ToArray());
        copy.NextSequence.ShouldBe(log.NextSequence);
        copy.Events().Select(e => (e.Type, Encoding.UTF8.GetString(e.Data.Span))).ShouldBe(log.Events().Select(e => (e.Type, Encoding.UTF8.GetString(e.Data.Span))));
        for (var sequence = 6; sequence <= 11; sequence++) copy.PositionAfter(sequence).ShouldBe(log.PositionAfter(sequence));
    }
}
