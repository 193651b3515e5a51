using Flapjack.Server.Web;
using Flapjack.Server.Web.Reading;

namespace Flapjack.Server.Tests.Web;

/// <summary>robots.txt and the rules for domains and paths.</summary>
public sealed class RobotsRulesTests
{
    [Theory]
    [InlineData("", "/x", true)]
    [InlineData("User-agent: *\nDisallow: /", "/x", false)]
    [InlineData("User-agent: *\nDisallow:", "/x", true)]
    [InlineData("user-agent:*\r\ndisallow:/a # comment\r\n", "/ab", false)]
    [InlineData("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true)]
    [InlineData("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", false)]
    [InlineData("User-agent: *\nDisallow: /a\nAllow: /a", "/a", true)]
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", false)]
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", true)]
    [InlineData("User-agent: *\nDisallow: /*?*id=", "/x?a=1&id=2", false)]
    [InlineData("User-agent: *\nDisallow: /a$", "/ab", true)]
    [InlineData("User-agent: *\nDisallow: /a*b*c$", "/a1b2c3c", false)]
    [InlineData("User-agent: *\nDisallow: /ü", "/%C3%BC/x", false)]
    [InlineData("User-agent: flapjackbot\nAllow: /\n\nUser-agent: *\nDisallow: /", "/x", true)]
    [InlineData("User-agent: *\nAllow: /\n\nUser-agent: FlapjackBot/2.0\nDisallow: /", "/x", false)]
    [InlineData("User-agent: Other\nUser-agent: FlapjackBot\nDisallow: /x\n\nUser-agent: *\nDisallow: /", "/y", true)]
    [InlineData("User-agent: Other\nDisallow: /", "/x", true)]
    [InlineData("Disallow: /", "/x", true)]
    [InlineData("User-agent: FlapjackBot\nDisallow:\nUser-agent: *\nDisallow: /", "/x", true)]
    [InlineData("nonsense\n: \nUser-agent\nDisallow /", "/x", true)]
    public void The_longest_rule_for_us_counts(string file, string path, bool allowed) =>
        RobotsRules.Parse(file, WebLimits.Robot).Allows(new Uri("https://example.com" + path)).ShouldBe(allowed);

    [Fact]
    public void A_pause_is_read_and_nonsense_is_not()
    {
        RobotsRules.Parse("User-agent: *\nCrawl-delay: 2.5", WebLimits.Robot).Pause.ShouldBe(TimeSpan.FromSeconds(2.5));
        RobotsRules.Parse("User-agent: *\nCrawl-delay: -1", WebLimits.Robot).Pause.ShouldBeNull();
        RobotsRules.Parse("User-agent: *\nCrawl-delay: 1e300", WebLimits.Robot).Pause.ShouldBeNull();
    }

    [Fact]
    public void A_rule_is_as_long_as_it_is_sent()
    {
        static bool Allows(int letters) => RobotsRules.Parse($"User-agent: *\nDisallow: /{new string('ü', letters)}", WebLimits.Robot).Allows(new Uri($"https://example.com/{new string('ü', letters)}"));
        Allows(80).ShouldBeFalse();
        Allows(90).ShouldBeTrue();
    }

    [Fact]
    public void No_file_takes_long()
    {
        var file = "User-agent: *\n" + string.Concat(Enumerable.Repeat("Disallow: /" + string.Concat(Enumerable.Repeat("*a", 200)) + "b\n", 5_000));
        var rules = RobotsRules.Parse(file, WebLimits.Robot);
        var start = System.Diagnostics.Stopwatch.StartNew();
        rules.Allows(new Uri("https://example.com/" + new string('a', 1_900))).ShouldBeTrue();
        start.ElapsedMilliseconds.ShouldBeLessThan(20_000);
    }

    [Theory]
    [InlineData("example.com", "https://example.com/", true)]
    [InlineData("example.com", "https://www.EXAMPLE.com./x", true)]
    [InlineData("example.com", "https://notexample.com/", false)]
    [InlineData("example.com", "https://example.com.evil.example/", false)]
    [InlineData("bücher.example", "https://www.xn--bcher-kva.example/", true)]
    [InlineData("10.0.0.1", "http://10.0.0.1:8080/", true)]
    [InlineData("0.0.1", "http://10.0.0.1/", false)]
    public void A_domain_stands_for_its_subdomains(string domain, string url, bool covered)
    {
        var normal = DomainRules.Normal(domain)!;
        new DomainRules([normal], []).Allows(new Uri(url)).ShouldBe(covered);
        new DomainRules([], [normal]).Allows(new Uri(url)).ShouldBe(!covered);
        new DomainRules([normal], [normal]).Allows(new Uri(url)).ShouldBeFalse();
    }
}
