using System.Text;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Tests.Platform;

public sealed class SignalPacketsTests
{
    [Fact]
    public void Signals_arrive_in_order_in_payloads_that_fit()
    {
        var sent = Enumerable.Range(0, 500).Select(i => new Signal($"topic.{i % 3}", "node", $"{i} ü€😀\nline {new string('x', i * 13 % 6_900)}")).ToList();
        var packets = new SignalPackets();
        for (var i = 0; i < sent.Count; i++) packets.Add(i % 2 == 0 ? "even" : "odd", SignalPackets.Write(sent[i]));
        var (channels, payloads) = packets.Take();
        payloads.ShouldAllBe(payload => Encoding.UTF8.GetByteCount(payload) < 8_000);
        payloads.Length.ShouldBeLessThan(sent.Count);
        foreach (var (channel, parity) in (ReadOnlySpan<(string, int)>)[("even", 0), ("odd", 1)])
        {
            var arrived = channels.Zip(payloads).Where(pair => pair.First == channel).SelectMany(pair => SignalPackets.Read(pair.Second));
            arrived.ShouldBe(sent.Where((_, i) => i % 2 == parity));
        }
        packets.Take().Payloads.ShouldBeEmpty();
    }

    [Fact]
    public void A_body_that_does_not_fit_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => SignalPackets.Write(new("topic", "node", new string('€', ISignals.MaxBody / 3 + 1))));
}
