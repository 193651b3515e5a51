using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Text;
using Flapjack.Server.Accounts.External;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Tests.Accounts.External;

/// <summary>Ed25519 with the vectors of its standards.</summary>
public sealed class Ed25519Tests
{
    // RFC 8032, 7.1, tests 1 to 3: secret, public key, message, signature.
    public static TheoryData<string, string, string, string> Vectors { get; } = new()
    {
        {
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        },
        {
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        },
        {
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Signatures_of_the_standard_are_right_and_no_byte_of_them_may_change(string secret, string publicKey, string message, string signature)
    {
        var (key, data, signed) = (Convert.FromHexString(publicKey), Convert.FromHexString(message), Convert.FromHexString(signature));
        Ed25519.Verify(key, data, signed).ShouldBeTrue();
        foreach (var part in new[] { key, data, signed })
        {
            for (var i = 0; i < part.Length; i++)
            {
                part[i] ^= 1;
                Ed25519.Verify(key, data, signed).ShouldBeFalse();
                part[i] ^= 1;
            }
        }
        Ed25519.Verify(key, [.. data, 0], signed).ShouldBeFalse();
        new Ed25519Pair(Convert.FromHexString(secret)).Sign(data).ShouldBe(signed, "what the tests sign with");
    }

    [Fact]
    public void Another_spelling_of_a_signature_is_refused()
    {
        // The scalar in the second half counts modulo the order of the group; only the smallest may stand there.
        var order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", CultureInfo.InvariantCulture);
        var pair = new Ed25519Pair();
        var signature = pair.Sign([1, 2, 3]);
        (new BigInteger(signature.AsSpan(32), isUnsigned: true) + order).TryWriteBytes(signature.AsSpan(32), out _, isUnsigned: true).ShouldBeTrue();
        Ed25519.Verify(pair.PublicKey, [1, 2, 3], signature).ShouldBeFalse();
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        var pair = new Ed25519Pair();
        var signature = pair.Sign([1, 2, 3]);
        Ed25519.Verify(pair.PublicKey, [1, 2, 3], signature).ShouldBeTrue();
        foreach (var length in new[] { 0, 1, 31, 33, 64 }) Ed25519.Verify(Sized(pair.PublicKey, length), [1, 2, 3], signature).ShouldBeFalse();
        foreach (var length in new[] { 0, 1, 32, 63, 65, 128 }) Ed25519.Verify(pair.PublicKey, [1, 2, 3], Sized(signature, length)).ShouldBeFalse();

        static byte[] Sized(byte[] bytes, int length)
        {
            var sized = new byte[length];
            bytes.AsSpan(0, Math.Min(length, bytes.Length)).CopyTo(sized);
            return sized;
        }
    }

    // RFC 8037, appendix A.
    [Fact]
    public void The_signed_text_of_the_standard_for_keys_in_JSON_is_right()
    {
        var key = Ed25519Key.From(new JsonWebKey("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")).ShouldNotBeNull();
        const string Text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        var signature = Base64Url.DecodeFromChars("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
        var check = key.CryptoProviderFactory.CreateForVerifying(key, "EdDSA");
        check.Verify(Encoding.ASCII.GetBytes(Text), signature).ShouldBeTrue();
        check.Verify(Encoding.ASCII.GetBytes(Text + "x"), signature).ShouldBeFalse();
        check.Verify(Encoding.ASCII.GetBytes($"..{Text}."), 2, Text.Length, [0, .. signature], 1, 64).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"EC","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":""}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"not base64"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURoA"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","alg":"ES256","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    public void Keys_of_another_kind_are_none(string key) => Ed25519Key.From(new JsonWebKey(key)).ShouldBeNull();

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS256")]
    [InlineData("HS256")]
    [InlineData("none")]
    [InlineData("eddsa")]
    [InlineData("")]
    public void A_key_knows_no_other_algorithm(string algorithm)
    {
        var key = Ed25519Key.From(new JsonWebKey("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")).ShouldNotBeNull();
        key.CryptoProviderFactory.IsSupportedAlgorithm(algorithm, key).ShouldBeFalse();
        key.CryptoProviderFactory.IsSupportedAlgorithm("EdDSA", key).ShouldBeTrue();
        key.CryptoProviderFactory.IsSupportedAlgorithm("EdDSA", new SymmetricSecurityKey(new byte[32])).ShouldBeFalse();
        Should.Throw<NotSupportedException>(() => key.CryptoProviderFactory.CreateForSigning(key, "EdDSA"));
    }
}
