using System.Text;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Tests.Tools;

/// <summary>The contract's published signatures.</summary>
public sealed class RequestSignatureTests
{
    private const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const long Timestamp = 1_775_044_800;
    private static readonly byte[] Lifecycle = Encoding.UTF8.GetBytes("""{"event":"bootstrap.succeeded","agentId":"0197a1c2-0000-7000-8000-000000000001"}""");

    [Fact]
    public void A_tool_call_is_signed_as_published() =>
        RequestSignature.Of(Secret, Timestamp, "9f86d081884c7d659a2feaa0c55ad015", """{"city":"Oslo","units":"metric"}"""u8).ShouldBe("c9323cd016564a51179bc24cddf08e6af6bdf0da6a790e713b996b0382635f32");

    [Fact]
    public void A_lifecycle_webhook_is_signed_as_published()
    {
        RequestSignature.OfBody(Secret, Lifecycle).ShouldBe("e7e2ef5dbd22f8b89df778ce3f8518ae95e9df26638f54e64958ba2efbc060e8");
        RequestSignature.Standard(Secret, "msg_0197a1c2000070008000000000000002", Timestamp, Lifecycle).ShouldBe("v1,E+/VaFhvHzU6rRMt3m9NSZgH1a2YNGSZS0A4bS0yY3k=");
    }

    [Theory]
    [InlineData("a secret of an operator's own")]
    [InlineData("whsec_this is no base64!")]
    public void A_secret_of_another_form_is_its_own_key(string secret)
    {
        var expected = System.Security.Cryptography.HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), "m.1.x"u8);
        RequestSignature.Standard(secret, "m", 1, "x"u8).ShouldBe("v1," + Convert.ToBase64String(expected));
    }

    [Fact]
    public void Every_request_has_a_nonce_of_its_own()
    {
        using HttpRequestMessage one = new(HttpMethod.Post, "http://example.com"), other = new(HttpMethod.Post, "http://example.com");
        RequestSignature.AddTo(one, Secret, "{}"u8, DateTimeOffset.FromUnixTimeSeconds(Timestamp));
        RequestSignature.AddTo(other, Secret, "{}"u8, DateTimeOffset.FromUnixTimeSeconds(Timestamp));
        string Header(HttpRequestMessage request, string name) => request.Headers.GetValues(name).Single();
        Header(one, "X-Flapjack-Nonce").ShouldMatch("^[0-9a-f]{32}$");
        Header(one, "X-Flapjack-Nonce").ShouldNotBe(Header(other, "X-Flapjack-Nonce"));
        Header(one, "X-Flapjack-Signature").ShouldBe(RequestSignature.Of(Secret, Timestamp, Header(one, "X-Flapjack-Nonce"), "{}"u8));
    }
}
