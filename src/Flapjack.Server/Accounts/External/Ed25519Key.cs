using System.Buffers.Text;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Accounts.External;

/// <summary>An Ed25519 key of an issuer (RFC 8037). It knows EdDSA and nothing else, and no other key knows EdDSA: what a token says about its algorithm cannot change that.</summary>
internal sealed class Ed25519Key : SecurityKey
{
    public const string Algorithm = "EdDSA";

    private static readonly CryptoProviderFactory Checks = new() { CustomCryptoProvider = new Provider(), CacheSignatureProviders = false };
    private readonly byte[] _public;

    private Ed25519Key(byte[] publicKey, string? id)
    {
        _public = publicKey;
        KeyId = id;
        CryptoProviderFactory = Checks;
    }

    public override int KeySize => Ed25519.KeyLength * 8;

    /// <summary>The key; null when it is of another kind, for another use, or of a wrong length.</summary>
    public static Ed25519Key? From(JsonWebKey key)
    {
        var isMeant = key.Kty == "OKP" && key.Crv == "Ed25519" && key.Use is null or "" or "sig" && key.Alg is null or "" or Algorithm;
        return isMeant && key.X is { } x && Base64Url.IsValid(x, out var length) && length == Ed25519.KeyLength ? new(Base64Url.DecodeFromChars(x), key.KeyId) : null;
    }

    private sealed class Provider : ICryptoProvider
    {
        public bool IsSupportedAlgorithm(string algorithm, params object[] args) => algorithm == Algorithm && args is [Ed25519Key] or [Ed25519Key, false];

        public object Create(string algorithm, params object[] args) => new Check((Ed25519Key)args[0]);

        public void Release(object cryptoInstance) => ((Check)cryptoInstance).Dispose();
    }

    private sealed class Check(Ed25519Key key) : SignatureProvider(key, Ed25519Key.Algorithm)
    {
        public override byte[] Sign(byte[] input) => throw new NotSupportedException("A public key signs nothing.");

        public override bool Verify(byte[] input, byte[] signature) => Ed25519.Verify(key._public, input, signature);

        public override bool Verify(byte[] input, int inputOffset, int inputLength, byte[] signature, int signatureOffset, int signatureLength) =>
            Ed25519.Verify(key._public, input.AsSpan(inputOffset, inputLength), signature.AsSpan(signatureOffset, signatureLength));

        protected override void Dispose(bool disposing)
        {
        }
    }
}
